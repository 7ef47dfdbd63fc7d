"""Run all benchmarks in sequence (`make bench`)."""

import importlib
import pkgutil

from rich.console import Console

import benchmarks


def main() -> None:
    """Run `main` of every `bench_*` module in this package's folders."""
    names = sorted(module.name for module in pkgutil.walk_packages(benchmarks.__path__, "benchmarks."))
    for name in names:
        if name.rpartition(".")[2].startswith("bench_"):
            Console().rule(name)
            importlib.import_module(name).main()


if __name__ == "__main__":
    main()
