# JPEG Restoration Studio: docs/hosting.md says how to build and run it.
FROM python:3.11-slim

# An index of CPU builds keeps the image small; without one, torch brings CUDA.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG TORCH=2.13.0

WORKDIR /studio

COPY packages.txt requirements.lock ./
RUN apt-get update \
    && xargs -r -a packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} "torch==$TORCH" \
    && pip install --no-cache-dir --require-hashes -r requirements.lock

# Gradio asks for pillow<13; 13 mends two overflows of the JPEG decoder, and the studio is tested with it.
RUN pip install --no-cache-dir --no-deps "pillow>=13"

COPY LICENSE README.md pyproject.toml app.py ./
COPY models ./models
COPY training ./training
COPY studio ./studio
COPY assets ./assets
COPY docs ./docs
COPY checkpoints ./checkpoints

RUN useradd --create-home --uid 1000 studio \
    && mkdir runs \
    && chown studio runs \
    && python -m compileall -q app.py models training studio
USER studio

ENV GRADIO_ANALYTICS_ENABLED=False \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
EXPOSE 7860
HEALTHCHECK --interval=60s --timeout=10s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/theme.css', timeout=8)"]

ENTRYPOINT ["python", "app.py", "--host", "0.0.0.0"]
CMD ["--public"]
