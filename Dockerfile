# melon for hosts that only answer, from a Qdrant server: `docker compose --profile web up`.
# It holds what requirements-serve.lock names, and so nothing that trains or ingests.

FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements-serve.lock .
RUN python -m venv /opt/melon \
    && /opt/melon/bin/pip install --no-cache-dir --no-compile --require-hashes --requirement requirements-serve.lock
COPY . .
RUN /opt/melon/bin/pip install --no-cache-dir --no-deps . \
    && /opt/melon/bin/python -m compileall -q /opt/melon/lib \
    && /opt/melon/bin/pip uninstall --yes --quiet pip

FROM python:3.13-slim
COPY --from=build /opt/melon /opt/melon
ENV PATH=/opt/melon/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --system --no-create-home melon
USER melon
WORKDIR /tmp
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD \
    ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready')"]
CMD ["melon", "serve", "--host", "0.0.0.0"]
