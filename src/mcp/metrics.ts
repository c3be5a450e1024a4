/** Requests of the protocol; whatever else a client calls itself is `other`, so that no text of an agent becomes a label. */
const METHODS = new Set([
  'initialize',
  'ping',
  'tools/list',
  'tools/call',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'prompts/list',
  'prompts/get',
  'completion/complete',
  'logging/setLevel',
]);

/** Upper ends in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** What is open now. */
export interface Gauges {
  readonly sessions: number;
  readonly streams: number;
  readonly calls: number;
  readonly unreadBytes: number;
}

interface Histogram {
  readonly counts: number[];
  sum: number;
  count: number;
}

/** Counts of what an HTTP server did; bounded whatever clients send. */
export class Metrics {
  readonly #responses = new Map<number, number>();
  readonly #refusals = new Map<string, number>();
  readonly #calls = new Map<string, Histogram>();
  #opened = 0;
  #cut = 0;
  #cancelled = 0;

  /** An answer with this status began. */
  answered(status: number): void {
    this.#responses.set(status, (this.#responses.get(status) ?? 0) + 1);
  }

  /** `reason` is one of our own words. */
  refused(reason: string): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
  }

  opened(): void {
    this.#opened++;
  }

  /** A reader too slow to keep was cut off. */
  cut(): void {
    this.#cut++;
  }

  cancelled(): void {
    this.#cancelled++;
  }

  /** A call was answered. */
  called(method: string, ms: number): void {
    const name = METHODS.has(method) ? method : 'other';
    let histogram = this.#calls.get(name);
    if (histogram === undefined) {
      histogram = { counts: BUCKETS.map(() => 0), sum: 0, count: 0 };
      this.#calls.set(name, histogram);
    }
    const seconds = ms / 1000;
    const bucket = BUCKETS.findIndex((end) => seconds <= end);
    if (bucket >= 0) histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
    histogram.sum += seconds;
    histogram.count++;
  }

  /** Prometheus text. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(gauges: Gauges): string {
    const lines: string[] = [];
    const family = (
      name: string,
      type: string,
      help: string,
      rows: readonly (readonly [labels: string, value: number])[],
    ) => {
      lines.push(`# HELP hivemark_${name} ${help}`, `# TYPE hivemark_${name} ${type}`);
      for (const [labels, value] of rows) lines.push(`hivemark_${name}${labels} ${value}`);
    };
    family('mcp_sessions', 'gauge', 'Sessions open.', [['', gauges.sessions]]);
    family('mcp_streams', 'gauge', 'Answers being sent.', [['', gauges.streams]]);
    family('mcp_calls_under_way', 'gauge', 'Calls not answered yet.', [['', gauges.calls]]);
    family('mcp_unread_bytes', 'gauge', 'Bytes of answers that clients have not taken yet.', [
      ['', gauges.unreadBytes],
    ]);
    family('mcp_sessions_opened_total', 'counter', 'Sessions opened.', [['', this.#opened]]);
    family('mcp_streams_cut_total', 'counter', 'Answers cut off because nobody read them.', [['', this.#cut]]);
    family('mcp_calls_cancelled_total', 'counter', 'Calls cancelled by their client or for want of one.', [
      ['', this.#cancelled],
    ]);
    family('http_responses_total', 'counter', 'HTTP answers by status.', labelled('status', this.#responses));
    family(
      'mcp_refusals_total',
      'counter',
      'Requests refused at the door, by reason.',
      labelled('reason', this.#refusals),
    );
    family(
      'mcp_call_seconds',
      'histogram',
      'From request to answer, by method.',
      [...this.#calls].flatMap(histogramRows),
    );
    return `${lines.join('\n')}\n`;
  }
}

function labelled(name: string, values: ReadonlyMap<string | number, number>): [labels: string, value: number][] {
  return [...values].map(([key, value]) => [`{${name}="${key}"}`, value]);
}

/** `text()` puts the suffix right: a histogram's rows are `_bucket`, `_sum` and `_count` of one family. */
function histogramRows([method, { counts, sum, count }]: [string, Histogram]): [labels: string, value: number][] {
  let below = 0;
  const rows = BUCKETS.map((end, i): [string, number] => {
    below += counts[i] ?? 0;
    return [`_bucket{method="${method}",le="${end}"}`, below];
  });
  return [
    ...rows,
    [`_bucket{method="${method}",le="+Inf"}`, count],
    [`_sum{method="${method}"}`, sum],
    [`_count{method="${method}"}`, count],
  ];
}
