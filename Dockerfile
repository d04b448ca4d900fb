FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --locked --release -p selfdb -p gateway -p auth -p rest -p realtime -p storage -p functions \
    && mkdir /out \
    && cp target/release/selfdb target/release/selfdb-gateway target/release/selfdb-auth \
          target/release/selfdb-rest target/release/selfdb-realtime target/release/selfdb-storage \
          target/release/selfdb-functions /out/

FROM denoland/deno:bin-2.9.6 AS deno

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home selfdb
COPY --from=build /out/ /usr/local/bin/
COPY --from=deno /deno /usr/local/bin/deno
USER selfdb
VOLUME /data
CMD ["selfdb", "serve"]
