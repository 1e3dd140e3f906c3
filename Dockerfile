# Headgate in a container: the program, the C library it is linked with, and nothing else. There is
# no shell in it, it runs as a user without rights, and it writes to /data alone.
#
#   docker build -t headgate .
#
# docker-compose.yml shows how it is run.

ARG BUILD_IMAGE=rust:1.95-bookworm
FROM ${BUILD_IMAGE} AS build
WORKDIR /source
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY tests tests
COPY benches benches
COPY fixtures fixtures
COPY examples examples
RUN cargo build --release --locked --package headgate

# What the program needs at run time: itself, its libraries at the places where they are looked
# for, the certificates of the world's authorities, a user, and an empty folder for the data.
RUN set -eu; \
    program=target/release/headgate; \
    install -D "$program" /image/usr/local/bin/headgate; \
    for library in $(ldd "$program" | grep -o '/[^ ]*'); do \
        install -D "$(readlink -f "$library")" "/image$library"; \
    done; \
    install -D -m 644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt; \
    mkdir -p /image/etc /image/data; \
    echo 'headgate:x:65532:65532::/data:/sbin/nologin' > /image/etc/passwd; \
    echo 'headgate:x:65532:' > /image/etc/group; \
    chown 65532:65532 /image/data

FROM scratch
COPY --from=build /image /
COPY LICENSE /LICENSE
USER 65532:65532
ENV HEADGATE_CONFIG=/etc/headgate/headgate.toml HEADGATE_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
# SIGTERM lets requests that have begun end; that takes 45 seconds at most.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/usr/local/bin/headgate", "--log", "error", "health"]
ENTRYPOINT ["/usr/local/bin/headgate"]
CMD ["serve"]
