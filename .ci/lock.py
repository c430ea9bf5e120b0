"""Prints what qredge needs, and what that needs in turn, as it is installed here: deploy/constraints.txt."""

from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def main() -> None:
    found = needed("qredge")
    print("# What the image is made of, and `make audit` looks up. `make lock` writes it.")
    print(*sorted(f"{name}=={distribution(name).version}" for name in found - {"qredge"}), sep="\n")


def needed(name: str) -> set[str]:
    """The names of a package and of all that it needs, as PyPI writes them."""
    done, left = set[tuple[str, str]](), {(canonicalize_name(name), "")}
    while left:
        name, extra = each = left.pop()
        done.add(each)
        for requirement in map(Requirement, distribution(name).requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                wanted = canonicalize_name(requirement.name)
                left |= {(wanted, extra) for extra in ("", *requirement.extras)} - done
    return {name for name, _ in done}


if __name__ == "__main__":
    main()
