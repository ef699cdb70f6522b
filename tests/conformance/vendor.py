"""The exchange's OpenAPI description, reduced to the same facts as our own table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from facts import FieldFact, Kind, OperationFact

Tree = Mapping[str, Any]

_TYPES: Final = {"integer": "i", "number": "n", "boolean": "b"}
_NAMED: Final = {"FixedPointDollars": "$", "FixedPointCount": "#"}


class Vendor:
    """Reads a description; `operations` and `records` are as in `facts.Facts`."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.records: dict[str, tuple[FieldFact, ...]] = {}
        self.operations = {
            operation["operationId"]: self._operation(path, method, operation)
            for path, methods in tree["paths"].items()
            for method, operation in methods.items()
        }

    def _operation(self, path: str, method: str, operation: Tree) -> OperationFact:
        name = operation["operationId"]
        parameters = [self._resolved(each) for each in operation.get("parameters", [])]
        status = next(status for status in operation["responses"] if status.startswith("2"))
        answer = self._resolved(operation["responses"][status])
        return OperationFact(
            name=name,
            method=method.upper(),
            path=path,
            status=status,
            public=not operation.get("security"),
            parameters=tuple(
                each["name"] + ("*" if each.get("required") else "")
                for each in parameters
                if each["in"] == "query"
            ),
            body=self._content(operation.get("requestBody", {}), f"{name}Request"),
            answer=self._content(answer, f"{name}Response"),
        )

    def _content(self, holder: Tree, otherwise: str) -> str:
        for content in holder.get("content", {}).values():
            schema = content["schema"]
            name = schema["$ref"].rpartition("/")[2] if "$ref" in schema else otherwise
            return name if self._record(name, schema) else ""
        return ""

    def _record(self, name: str, schema: Tree) -> bool:
        """Note a record; false for one without fields."""
        properties, required = self._flat(schema)
        if properties and name not in self.records:
            self.records[name] = ()  # for records that hold themselves
            self.records[name] = tuple(
                FieldFact(
                    name=field,
                    required=field in required,
                    kind=self._kind(each, f"{name}.{field}"),
                )
                for field, each in properties.items()
            )
        return bool(properties)

    def _flat(self, schema: Tree) -> tuple[dict[str, Tree], set[str]]:
        schema = self._resolved(schema)
        properties = dict(schema.get("properties", {}))
        required = set(schema.get("required", []))
        for each in schema.get("allOf", []):
            more, needed = self._flat(each)
            properties |= more
            required |= needed
        return properties, required

    def _kind(self, schema: Tree, place: str) -> Kind:
        if "$ref" in schema:
            return self._referred(schema, place)
        if "allOf" in schema and "properties" not in schema:
            return self._kind(schema["allOf"][0], place)
        kind, words = schema.get("type"), schema.get("enum")
        if kind == "array":
            return f"[{self._kind(schema['items'], place)}]"
        if kind == "object":
            return self._object(schema, place)
        if kind == "string":
            dated = schema.get("format") == "date-time"
            return "|".join(words) if words else "t" if dated else "s"
        return _TYPES.get(kind or "", "o")

    def _referred(self, schema: Tree, place: str) -> Kind:
        name = schema["$ref"].rpartition("/")[2]
        if name in _NAMED:
            return _NAMED[name]
        target = self._resolved(schema)
        if target.get("type") == "object" or "properties" in target:
            return name if self._record(name, schema) else "o"
        return self._kind(target, place)

    def _object(self, schema: Tree, place: str) -> Kind:
        if schema.get("properties"):
            self._record(place, schema)
            return place
        values: Any = schema.get("additionalProperties")
        if not isinstance(values, Mapping) or not values:
            return "o"
        return f"{{{self._kind(cast('Tree', values), place)}}}"

    def _resolved(self, schema: Tree) -> Tree:
        while "$ref" in schema:
            target: Any = self._tree
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = target
        return schema
