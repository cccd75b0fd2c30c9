"""What every HTTP request passes, from the outside in. All pure ASGI: a layer costs a microsecond, not a task."""
