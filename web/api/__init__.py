"""The JSON API under `/api/v1`, one module per topic; `openapi.json` describes it."""

PREFIX = "/api/v1"
