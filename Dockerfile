# trueup in a container: built with the pinned versions, run by a user without rights.
#
#   docker build -t trueup .
#   docker run --rm trueup tour --no-web
#   docker compose up -d            (with PostgreSQL: see compose.yaml)

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/trueup
# The dependencies first: they change less often than the source.
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src/trueup/core/version.py src/trueup/core/version.py
RUN mkdir -p src/trueup && touch src/trueup/__init__.py \
    && /opt/trueup/bin/pip install --constraint constraints.txt '.[alerts,archive,fast,postgres,web]' \
    && /opt/trueup/bin/pip uninstall --yes trueup
COPY src src
RUN /opt/trueup/bin/pip install --constraint constraints.txt --no-deps . \
    && /opt/trueup/bin/python -m compileall -q /opt/trueup/lib

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/trueup --shell /usr/sbin/nologin trueup \
    && chmod 0700 /var/lib/trueup
COPY --from=build /opt/trueup /opt/trueup
ENV PATH=/opt/trueup/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRUEUP_HOME=/var/lib/trueup
USER trueup
WORKDIR /var/lib/trueup
VOLUME /var/lib/trueup
EXPOSE 9464
# For a bot or a scheduled sync that serves its health: --metrics-port 9464.
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:9464/health', timeout=5)"]
ENTRYPOINT ["trueup"]
CMD ["--help"]
