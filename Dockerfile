# The whole app:                                         docker build -t cnn-lab .
# The lessons and “Cat or dog?”, without TensorFlow:     docker build -t cnn-lab:small --target small .
# How to run it and what it costs: docs/hosting.md

FROM scratch AS source
COPY LICENSE streamlit_app.py /
COPY .streamlit/config.toml /.streamlit/
COPY cnn_core /cnn_core
COPY pages /pages

FROM python:3.13-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends binutils && rm -rf /var/lib/apt/lists/*
RUN python -m venv --without-pip /venv
COPY requirements.txt cnn_core/setup/slim.py /build/
WORKDIR /app

# Each of the two builds installs the packages, removes what the app never opens, and tries the app. What that imports is
# compiled then, and only that, since nothing can be written later. --build-arg MORE='streamlit[auth]' adds packages.
FROM build AS build-small
ARG MORE=
RUN grep -vE '^(tensorflow|keras|tf2onnx)' /build/requirements.txt > /build/small.txt \
    && pip --python /venv/bin/python install --no-cache-dir --no-compile -r /build/small.txt $MORE \
    && python /build/slim.py /venv
COPY --from=source / /app/
RUN CNN_LAB_HOME=/tmp/home /venv/bin/python -m pages.widgets.try_out && /venv/bin/python -m compileall -q .

FROM build AS build-whole
ARG MORE=
RUN pip --python /venv/bin/python install --no-cache-dir --no-compile -r /build/requirements.txt $MORE \
    && python /build/slim.py /venv
COPY --from=source / /app/
RUN CNN_LAB_HOME=/tmp/home /venv/bin/python -m cnn_core train --images 16 --epochs 1 \
    && CNN_LAB_HOME=/tmp/home /venv/bin/python -m pages.widgets.try_out && /venv/bin/python -m compileall -q .

FROM python:3.13-slim AS run
RUN useradd --uid 1000 --no-create-home --home-dir /tmp lab && install -d -o 1000 -g 1000 /data
# All that is kept is in /data. Programs that want to keep something of their own for a while have /tmp.
ENV PATH=/venv/bin:$PATH HOME=/tmp CNN_LAB_HOME=/data PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 STREAMLIT_SERVER_PORT=8501 STREAMLIT_SERVER_HEADLESS=true
USER 1000:1000
WORKDIR /app
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=30s --timeout=5s CMD ["python", "-c", "import os, urllib.request as u; \
    u.urlopen('http://127.0.0.1:' + os.environ['STREAMLIT_SERVER_PORT'] + '/_stcore/health', timeout=4)"]
CMD ["python", "-m", "streamlit", "run", "streamlit_app.py"]

FROM run AS small
COPY --from=build-small /venv /venv
COPY --from=build-small /app /app

FROM run AS whole
COPY --from=build-whole /venv /venv
COPY --from=build-whole /app /app
