import type { Usage } from './model.ts';

/** USD per million tokens. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Input read from the provider's cache. @default `input` */
  readonly cachedInput?: number | undefined;
  /** Input written to the provider's cache. @default `input` */
  readonly cacheWrite?: number | undefined;
  /** What a whole request costs once its input is longer than this. */
  readonly long?: (Omit<Price, 'long'> & { readonly aboveInputTokens: number }) | undefined;
}

/** The day the table below was put together; goes into a run's record with the table. */
export const PRICES_DATED = '2026-11-21';

/**
 * List prices by `provider/model` (any `provider/` for `*`), as published and not as billed: discounts, tiers of service, taxes and
 * later changes are not in it, and a budget counted with it is an estimate. Put together on `PRICES_DATED` from
 * excerpts of the providers' pages and release notes, mostly at second hand; some cached and cache-write prices are derived from
 * the ratios stated there. A model that is not in it has no price here, rather than a guess; a config can set any price itself.
 * Open models are priced as one host (Fireworks, serverless) lists them; other hosts differ, so a config can set its own.
 *
 * @see https://platform.claude.com/docs/en/about-claude/pricing
 * @see https://developers.openai.com/api/docs/pricing (requests over 272 000 input tokens cost more there; not in this table)
 * @see https://docs.fireworks.ai/serverless/pricing
 */
export const PRICES: Readonly<Record<string, Price>> = {
  'anthropic/claude-fable-5-1': { input: 10, output: 50, cachedInput: 0.25, cacheWrite: 12.5 },
  'anthropic/claude-fable-5': { input: 10, output: 50, cachedInput: 1, cacheWrite: 12.5 },
  'anthropic/claude-opus-5-5': { input: 4, output: 20, cachedInput: 0.2, cacheWrite: 5 },
  'anthropic/claude-opus-5': { input: 5, output: 25, cachedInput: 0.5, cacheWrite: 6.25 },
  'anthropic/claude-opus-4-8': { input: 5, output: 25, cachedInput: 0.5, cacheWrite: 6.25 },
  'anthropic/claude-opus-4-7': { input: 5, output: 25, cachedInput: 0.5, cacheWrite: 6.25 },
  'anthropic/claude-opus-4-6': { input: 5, output: 25, cachedInput: 0.5, cacheWrite: 6.25 },
  'anthropic/claude-opus-4-5': { input: 5, output: 25, cachedInput: 0.5, cacheWrite: 6.25 },
  'anthropic/claude-sonnet-5-5': { input: 2, output: 10, cachedInput: 0.1, cacheWrite: 2.5 },
  'anthropic/claude-sonnet-5': { input: 2, output: 10, cachedInput: 0.2, cacheWrite: 2.5 },
  'anthropic/claude-sonnet-4-6': { input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75 },
  'anthropic/claude-sonnet-4-5': { input: 3, output: 15, cachedInput: 0.3, cacheWrite: 3.75 },
  'anthropic/claude-haiku-5-5': {
    input: 0.1,
    output: 0.5,
    cachedInput: 0.01,
    cacheWrite: 0.125,
    long: { aboveInputTokens: 100_000, input: 0.5, output: 2.5, cachedInput: 0.05, cacheWrite: 0.625 },
  },
  'anthropic/claude-haiku-4-5': { input: 1, output: 5, cachedInput: 0.1, cacheWrite: 1.25 },
  'openai/gpt-6-astra': { input: 10, output: 50, cachedInput: 1 },
  'openai/gpt-6.1-sol': { input: 2, output: 10, cachedInput: 0.1, cacheWrite: 2.5 },
  'openai/gpt-6-sol': { input: 2, output: 10, cachedInput: 0.2, cacheWrite: 2.5 },
  'openai/gpt-6-luna': { input: 0.1, output: 0.5, cachedInput: 0.01, cacheWrite: 0.125 },
  'openai/gpt-5.6-sol': { input: 5, output: 30, cachedInput: 0.5, cacheWrite: 6.25 },
  'openai/gpt-5.6-terra': { input: 2, output: 12, cachedInput: 0.2, cacheWrite: 2.5 },
  'openai/gpt-5.6-luna': { input: 0.2, output: 1.2, cachedInput: 0.02, cacheWrite: 0.25 },
  'openai/gpt-5.5': { input: 5, output: 30, cachedInput: 0.5 },
  'openai/gpt-5.4': { input: 2.5, output: 15, cachedInput: 0.25 },
  'openai/gpt-5.4-mini': { input: 0.75, output: 4.5, cachedInput: 0.075 },
  'openai/gpt-5.1': { input: 1.25, output: 10, cachedInput: 0.125 },
  'openai/gpt-5': { input: 1.25, output: 10, cachedInput: 0.125 },
  'openai/gpt-5-mini': { input: 0.25, output: 2, cachedInput: 0.025 },
  '*/gpt-oss-120b': { input: 0.15, output: 0.6, cachedInput: 0.015 },
  '*/gpt-oss-20b': { input: 0.07, output: 0.3, cachedInput: 0.035 },
  '*/kimi-k2p6': { input: 0.95, output: 4, cachedInput: 0.16 },
  '*/kimi-k2p5': { input: 0.6, output: 3, cachedInput: 0.1 },
  '*/deepseek-v4-pro': { input: 1.74, output: 3.48, cachedInput: 0.145 },
  '*/deepseek-v3p2': { input: 0.56, output: 1.68, cachedInput: 0.28 },
  '*/glm-5p1': { input: 1.4, output: 4.4, cachedInput: 0.26 },
  '*/glm-5': { input: 1, output: 3.2, cachedInput: 0.2 },
  '*/glm-4p7': { input: 0.6, output: 2.2, cachedInput: 0.3 },
};

const FREE: Price = { input: 0, output: 0 };

/**
 * The price of a model by its configured name, null when the table does not know it. A dated name (`-20250929`,
 * `-2025-08-07`) has its model's price; a host's path (`accounts/fireworks/models/kimi-k2p5`) counts by its last part;
 * scripted models and replays cost nothing.
 */
export function priceOf(model: string): Price | null {
  if (model.startsWith('scripted/') || model.startsWith('replay/')) return FREE;
  const slash = model.indexOf('/');
  const provider = model.slice(0, Math.max(slash, 0));
  const id = model.slice(slash + 1);
  const undated = id.replace(/-(\d{8}|\d{4}-\d{2}-\d{2})$/, '');
  const last = undated.slice(undated.lastIndexOf('/') + 1);
  const keys = [`${provider}/${id}`, `${provider}/${undated}`, `*/${last}`];
  const key = keys.find((candidate) => Object.hasOwn(PRICES, candidate));
  return key === undefined ? null : (PRICES[key] ?? null);
}

/** What a call cost. `priced` is false when there is no price or the provider sent no usage: `usd` is then 0 and not a measurement. */
export interface Cost {
  readonly usd: number;
  readonly priced: boolean;
}

/** USD of one call's usage, by the table or by `price` (a config's own). */
export function usdOf(model: string, usage: Usage, price: Price | null = priceOf(model)): Cost {
  if (price === null || usage.missing === true) return { usd: 0, priced: false };
  const { long } = price;
  const rate = long !== undefined && usage.inputTokens > long.aboveInputTokens ? long : price;
  const cached = usage.cachedInputTokens ?? 0;
  const written = usage.cacheWriteInputTokens ?? 0;
  const fresh = Math.max(0, usage.inputTokens - cached - written);
  const millionths =
    fresh * rate.input +
    cached * (rate.cachedInput ?? rate.input) +
    written * (rate.cacheWrite ?? rate.input) +
    usage.outputTokens * rate.output;
  return { usd: millionths / 1_000_000, priced: true };
}
