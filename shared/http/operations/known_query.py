"""Rejection of undeclared query parameters."""

from fastapi import Request

from shared.errors import FieldError, Invalid


def refuse_unknown_query(request: Request) -> None:
    """Raise Invalid if a request has undeclared query parameters.

    Routers use it as a dependency. OPTIONS, which describes a route, is answered with any.
    """
    if request.method == "OPTIONS":
        return
    declared_names = {field.alias for field in request.scope["route"].dependant.query_params}
    unknown = sorted({name for name in request.query_params if name not in declared_names})
    if unknown:
        hint = f"This address takes {', '.join(sorted(declared_names))}." if declared_names else "This address takes no query parameters."
        errors = [FieldError(field=name[:64], detail="unknown query parameter") for name in unknown[:20]]
        raise Invalid(f"Unknown query parameters: {', '.join(name[:64] for name in unknown[:20])}. {hint}", errors=errors)
