# The image of akvsync: one static binary, certificates, licences. Nothing else.
#   docker build -t akvsync:$(make -s version) --build-arg VERSION=$(make -s version) .   or 'make image'
#   docker build -t fakevault:test --target fakevault .    a fake Azure Key Vault and Entra, for tests
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /src
# The libraries take minutes and change seldom: a layer of their own.
RUN apt-get update -q && \
    apt-get install -y -q --no-install-recommends gcc libc6-dev make dpkg-dev pkg-config perl file \
        binutils xz-utils ca-certificates
COPY scripts/debian-apt scripts/debian-source scripts/static scripts/static-libs scripts/deps.lock scripts/
RUN scripts/static >/dev/null
COPY . .
RUN make static
# Seconds since 1970: the date in the list of parts. Without it, that of the commit or now.
ARG SOURCE_DATE_EPOCH
RUN scripts/image-files /image

FROM ${BASE} AS fakevault
RUN apt-get update -q && \
    apt-get install -y -q --no-install-recommends python3 python3-cryptography && \
    rm -rf /var/lib/apt/lists/*
COPY tests/fakevault /usr/lib/python3/dist-packages/fakevault
USER 65532:65532
ENTRYPOINT ["/usr/lib/python3/dist-packages/fakevault/fakevault"]

FROM scratch
ARG VERSION
LABEL org.opencontainers.image.title="akvsync" \
      org.opencontainers.image.description="Azure Key Vault objects as files in a pod, kept up to date" \
      org.opencontainers.image.licenses="Apache-2.0 AND LGPL-2.1-or-later AND MIT AND curl AND MPL-2.0" \
      org.opencontainers.image.vendor="The akvsync authors" \
      org.opencontainers.image.version="$VERSION"
COPY --from=build /image /
USER 65532:65532
ENTRYPOINT ["/akvsync"]
