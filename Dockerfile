# One image for every role: `serve` unless another command is named, such as `worker`, `schedule`, `follow` or `build`.
# docs/reference/clones.md tells how it is run. The Node is the one that package.json pins: another makes all pages anew.
FROM node:26.10.0-trixie-slim AS packages
WORKDIR /nightbake
COPY package.json package-lock.json .npmrc ./
# Packages' own scripts do not run: none that is needed here has one that is.
RUN npm ci --omit=dev --ignore-scripts

FROM node:26.10.0-trixie-slim
WORKDIR /nightbake
COPY --from=packages /nightbake/node_modules node_modules
COPY package.json package-lock.json site.config.ts ./
COPY src src
COPY templates templates
COPY content content
# All that a clone writes: caches that may be lost, and the embedded parts where no others are set.
RUN install --directory --owner=node --group=node /var/lib/nightbake
VOLUME /var/lib/nightbake
ENV NODE_ENV=production NIGHTBAKE_HOME=/var/lib/nightbake OUT_DIR=/var/lib/nightbake/dist NIGHTBAKE_HOST=0.0.0.0
USER node
EXPOSE 8377
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.NIGHTBAKE_PORT || 8377}/health/live`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "src/cli/main.ts"]
CMD ["serve"]
