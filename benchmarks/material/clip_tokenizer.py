"""A byte-level tokenizer in the file layout of CLIP's tokenizer.

A prompt has more tokens than with CLIP's, but always 77 with its padding.
"""

import json
from pathlib import Path

VOCABULARY = 514


def byte_vocabulary() -> dict[str, int]:
    """Return the 514 tokens of CLIP's byte alphabet with their ids.

    These are each byte alone, each byte at the end of a word, and two marks.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    characters = [chr(code) for code in printable] + [chr(256 + number) for number in range(256 - len(printable))]
    words = characters + [f"{letter}</w>" for letter in characters] + ["<|startoftext|>", "<|endoftext|>"]
    return {word: number for number, word in enumerate(words)}


def write_tokenizer(folder: Path) -> None:
    """Write the four files of a CLIP tokenizer, as published.

    `save_pretrained` writes another layout.
    """
    folder.mkdir(parents=True)
    (folder / "vocab.json").write_text(json.dumps(byte_vocabulary()))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    marks = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    (folder / "tokenizer_config.json").write_text(json.dumps(marks | {"model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}))
