import { z } from 'zod';

const text = z.string();
const texts = z.array(text);
const environment = z.record(text, text);
const healthcheck = z.union([
  z.strictObject({ disable: z.literal(true) }),
  z.strictObject({
    test: texts.min(2),
    interval: text,
    timeout: text,
    retries: z.int(),
    start_period: text.optional(),
  }),
]);
const service = z.strictObject({
  image: text,
  build: text.optional(),
  command: texts.optional(),
  restart: z.enum(['no', 'unless-stopped']),
  stop_grace_period: text.optional(),
  environment: environment.optional(),
  depends_on: z
    .record(
      text,
      z.strictObject({
        condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']),
      }),
    )
    .optional(),
  deploy: z.strictObject({ replicas: z.int() }).optional(),
  ports: z.array(text.regex(/^(?:127\.0\.0\.1:)?\d+:\d+$/)).optional(),
  volumes: z.array(text.regex(/^[\w-]+:\/[\w/-]+$/)).optional(),
  configs: z.array(z.strictObject({ source: text, target: text })).optional(),
  healthcheck: healthcheck.optional(),
});
const file = z.strictObject({
  name: text,
  services: z.record(text, service),
  volumes: z.record(text, z.null()).optional(),
  configs: z
    .record(
      text,
      z.union([z.strictObject({ content: text }), z.strictObject({ file: text.regex(/^\.\/deploy\//) })]),
    )
    .optional(),
  'x-redeemkit': z.unknown(),
});

/** The parts of the compose specification that this project uses; any other key in the file is a slip, or new. */
export function composeProblems(compose: unknown): string[] {
  const parsed = file.safeParse(compose);
  if (!parsed.success)
    return parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).toSorted();
  const { services, volumes = {}, configs = {} } = parsed.data;
  return Object.entries(services).flatMap(([name, used]) => [
    ...Object.keys(used.depends_on ?? {})
      .filter((other) => !(other in services))
      .map((other) => `${name} depends on ${other}, which is no service`),
    ...(used.volumes ?? [])
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((volume) => !(volume in volumes))
      .map((volume) => `${name} uses the volume ${volume}, which is not declared`),
    ...(used.configs ?? [])
      .filter(({ source }) => !(source in configs))
      .map(({ source }) => `${name} uses the config ${source}, which is not declared`),
  ]);
}
