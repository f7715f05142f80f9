# The service in one container. Its state is the volume /data; settings are environment variables (docs/self-hosting.md).
# Debian, not Alpine: the runtime inside needs glibc.
FROM node:24-slim AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
RUN npm pack --pack-destination /tmp

FROM node:24-slim
# Certificate authorities, for pushes to https targets.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
# The image has the Node that the service needs, so the one that comes along is taken out.
RUN --mount=type=cache,target=/root/.npm --mount=type=bind,from=build,source=/tmp,target=/packed \
    npm install --global --ignore-scripts /packed/chronos-edge-*.tgz \
 && rm -rf "$(npm root --global)"/chronos-edge/node_modules/node-linux-* \
 && install -d -m 700 -o node -g node /data /backups
USER node
ENV HOST=0.0.0.0 PORT=8787 CHRONOS_STATE=/data CHRONOS_LOG=json
VOLUME /data
EXPOSE 8787
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["chronos-edge", "start"]
