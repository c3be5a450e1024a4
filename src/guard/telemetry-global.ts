import { createTelemetry, type Telemetry } from './telemetry.ts';

/** Variables that say that somebody wants OpenTelemetry. @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const WANTED = [
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT',
  'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT',
  'OTEL_TRACES_EXPORTER',
  'OTEL_METRICS_EXPORTER',
  'OTEL_LOGS_EXPORTER',
] as const;
const NAME = 'hivemark';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the environment asks for OpenTelemetry. */
export function isTelemetryWanted(env: Environment): boolean {
  return env['OTEL_SDK_DISABLED']?.toLowerCase() !== 'true' && WANTED.some((name) => (env[name] ?? '') !== '');
}

/**
 * Telemetry to whatever SDK the process was started with (`NODE_OPTIONS='--import ./otel.mjs'`), found through OpenTelemetry's global API;
 * undefined, with nothing loaded, unless the environment asks for it. Only the API comes with hivemark: without an SDK
 * it goes nowhere.
 */
export async function openGlobalTelemetry(env: Environment, version: string): Promise<Telemetry | undefined> {
  if (!isTelemetryWanted(env)) return undefined;
  const { logs, metrics, trace } = await import('@opentelemetry/api');
  return createTelemetry({
    meter: metrics.getMeter(NAME, version),
    tracer: trace.getTracer(NAME, version),
    logger: logs.getLogger(NAME, version),
  });
}
