# Two images: truc, the default, and minio, the object store that docker-compose.yml brings along. Each is one static
# binary on a small Debian and runs as a user that is not root.

ARG GO=1.26
ARG DEBIAN=bookworm

FROM golang:${GO}-${DEBIAN} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# Room by room, so that no secret, no history and no binary of the working folder can come along.
COPY migrations migrations
COPY signing signing
COPY routing routing
COPY storage storage
COPY server server
COPY web web
COPY cmd cmd
RUN CGO_ENABLED=0 go build -trimpath -o /out/truc ./cmd/truc

# MinIO publishes no images any more. This is its last source, the one that the tests run against (.ci/setup).
FROM golang:${GO}-${DEBIAN} AS build-minio
ARG MINIO=v0.0.0-20260212201848-7aac2a2c5b7c
RUN CGO_ENABLED=0 go install github.com/minio/minio@${MINIO} \
 && cp /go/pkg/mod/github.com/minio/minio@${MINIO}/LICENSE /go/bin/minio.LICENSE

FROM debian:${DEBIAN}-slim AS minio
# curl asks its health check.
RUN apt-get update \
 && apt-get install -y --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10002 --user-group --no-create-home --home-dir /nonexistent minio \
 && install -d -o minio -g minio -m 700 /data
COPY --from=build-minio /go/bin/minio /usr/local/bin/minio
# A program of its own under the GNU AGPL 3, built unchanged; truc only speaks S3 to it.
COPY --from=build-minio /go/bin/minio.LICENSE /usr/share/doc/minio/LICENSE
USER 10002:10002
VOLUME /data
EXPOSE 9000
HEALTHCHECK --interval=5s --timeout=5s --retries=12 \
  CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:9000/minio/health/cluster"]
ENTRYPOINT ["minio"]
CMD ["server", "/data", "--address", ":9000"]

# The last stage is the one that `docker build .` makes.
FROM debian:${DEBIAN}-slim AS truc
# There is no PostgreSQL in this image, so the embedded default does not work in it: TRUC_DATABASE_URL must be set.
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /nonexistent truc
# The public certification authorities, for webhooks and object stores that are reached over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/truc /usr/local/bin/truc
COPY LICENSE /usr/share/doc/truc/LICENSE
USER 10001:10001
EXPOSE 8080
# `truc ready` asks /readyz of the server in this container: it writes and reads a row and an object.
HEALTHCHECK --interval=10s --timeout=7s --start-period=30s --retries=3 CMD ["truc", "ready"]
ENTRYPOINT ["truc"]
CMD ["serve"]
