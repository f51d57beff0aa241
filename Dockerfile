# CPU:  docker build -t counterscan .
# GPU:  docker build -t counterscan --build-arg TORCH_INDEX=https://pypi.org/simple .
# Pin both bases by digest (image:tag@sha256:...) where builds must be reproducible to the byte.
FROM node:24.11.1-bookworm-slim AS viewer
WORKDIR /viewer
COPY assets/viewer/package.json assets/viewer/package-lock.json ./
RUN npm ci --omit=optional --ignore-scripts --no-audit --no-fund

FROM python:3.11.14-slim-bookworm
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# the user that runs the server
ARG USER_ID=10001
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
COPY requirements.txt requirements.lock requirements-cpu.lock requirements-cuda.lock ./
# by their hashes; torch of other indexes, and for CPUs other than x86_64, by its version
RUN if [ "$TORCH_INDEX" = https://pypi.org/simple ]; \
    then pip install --no-cache-dir --no-deps --require-hashes -r requirements-cuda.lock; \
    elif [ "$TORCH_INDEX $(uname -m)" = "https://download.pytorch.org/whl/cpu x86_64" ]; \
    then pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" --require-hashes -r requirements-cpu.lock; \
    else pip install --no-cache-dir --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.txt)"; fi \
    && pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock \
    && useradd --uid "$USER_ID" --no-create-home --home-dir /data --shell /usr/sbin/nologin counterscan \
    && install -d -o counterscan -g counterscan /data
COPY LICENSE CITATION.cff README.md pyproject.toml ./
COPY assets assets
COPY core core
COPY webapp webapp
COPY --from=viewer /viewer/node_modules assets/viewer/node_modules
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable .
# 0.0.0.0 is the container's own network, and localhost the name in the browser of its host: docs/hosting.md has what
# to set for others.
ENV COUNTERSCAN_HOST=0.0.0.0 COUNTERSCAN_ACCOUNTS=1 COUNTERSCAN_HOSTS=localhost COUNTERSCAN_DATA=/data TMPDIR=/data
USER $USER_ID
VOLUME /data
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('COUNTERSCAN_PORT', '7860') + '/healthz', timeout=4)"]
CMD ["counterscan", "serve"]
