# Consult: assets, then the environment, then a small image that runs as nobody in particular.
FROM node:22-bookworm-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY consult/static consult/static
RUN npm run build

FROM python:3.11-slim-bookworm AS environment
WORKDIR /build
RUN pip install --no-cache-dir uv && uv venv /opt/consult
COPY pyproject.toml requirements.lock README.md LICENSE ./
# The lock also covers the tests: keep of it, hashes included, what the application itself depends on.
RUN uv pip compile --quiet --universal --no-annotate --no-header --constraint requirements.lock pyproject.toml \
      | sed -E 's/[]=;[ ].*//' > names \
    && awk 'NR == FNR { kept[$1]; next } /^[^ #]/ { split($0, name, /[]=;[ ]/); show = name[1] in kept } show' \
      names requirements.lock > runtime.lock \
    && uv pip install --python /opt/consult --no-cache --require-hashes -r runtime.lock
COPY analysis analysis
COPY consult consult
COPY --from=assets /build/consult/static/dist consult/static/dist
RUN uv pip install --python /opt/consult --no-cache --no-deps . \
    && /opt/consult/bin/python -m compileall -q /opt/consult/lib

FROM python:3.11-slim-bookworm
# What PDF files are drawn with
RUN apt-get update -q && apt-get install -y -q --no-install-recommends libpangoft2-1.0-0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /var/lib/consult --create-home consult \
    && install -d -o consult -g consult /var/lib/consult/registry
COPY --from=environment /opt/consult /opt/consult
ARG COMMIT=""
ENV PATH=/opt/consult/bin:$PATH \
    CONSULT_COMMIT=$COMMIT \
    PYTHONUNBUFFERED=1 \
    CONSULT_HOST=0.0.0.0 \
    CONSULT_DATA_DIR=/var/lib/consult
USER consult
WORKDIR /var/lib/consult
VOLUME /var/lib/consult
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=4s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz', timeout=3)"]
CMD ["consult", "serve", "--no-worker"]
