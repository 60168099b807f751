# Everything that is needed to compile; none of it reaches the image that runs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY console/package.json ./console/
RUN npm ci --include=dev --include=optional --ignore-scripts
COPY tsconfig.json schema.graphql ./
COPY src ./src
RUN node node_modules/typescript/bin/tsc -p tsconfig.json
COPY console ./console
RUN npm run build --workspace console

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY console/package.json ./console/
# The image brings its own Node 24, so the packaged one (an optional package) is left out.
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json schema.graphql ./
COPY scripts/lua ./scripts/lua
COPY scripts/redeemkit.mjs ./scripts/redeemkit.mjs
COPY --from=build /app/dist ./dist
COPY --from=build /app/console/dist ./console/dist
RUN ln -s /app/scripts/redeemkit.mjs /usr/local/bin/redeemkit
# Nothing in the image belongs to this user: the process keeps no state of its own.
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node gets the signals itself, without npm between, so that a stop drains.
CMD ["node", "dist/main.js"]
