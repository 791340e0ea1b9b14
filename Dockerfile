# The controller's image. `make image` builds it; `make image-env` does the same steps without a container engine.
#
# The base has no default: name a slim Python >= 3.11 by digest, as in --build-arg PYTHON_IMAGE=python:3.13-slim@sha256:…
# With one base, one requirements.txt and one wheel, two builds install the same bytes.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE} AS build
COPY requirements.txt dist/*.whl /src/
# No pip inside, and bytecode that names no time: the root file system is read-only when it runs.
RUN python3 -m venv --without-pip /opt/dbclaims
RUN python3 -m pip --python /opt/dbclaims/bin/python3 install --quiet --no-cache-dir --no-compile \
    --only-binary :all: --require-hashes -r /src/requirements.txt
RUN python3 -m pip --python /opt/dbclaims/bin/python3 install --quiet --no-cache-dir --no-compile \
    --no-deps --no-index /src/dbclaims-*.whl
RUN /opt/dbclaims/bin/python3 -m compileall -qf --invalidation-mode unchecked-hash /opt/dbclaims/lib
RUN /opt/dbclaims/bin/dbclaims check --offline

FROM ${PYTHON_IMAGE}
COPY --from=build /opt/dbclaims /opt/dbclaims
# What a derived image installs beside it must fit: pip install -c /opt/dbclaims/constraints.txt …
COPY requirements.txt /opt/dbclaims/constraints.txt
ENV PATH=/opt/dbclaims/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
ENTRYPOINT ["dbclaims"]
CMD ["run"]
