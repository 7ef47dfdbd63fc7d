"""Run every benchmark, one after the other (`make bench`)."""

import importlib
import pkgutil

from rich.console import Console

import benchmarks


def main() -> None:
    """Run `main` of every module named `bench_*`."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name.startswith("bench_"))
    for name in names:
        Console().rule(name)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
