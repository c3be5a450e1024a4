import { appendFileSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

// What an operator's `--import` does: an SDK of theirs, here one that writes its spans to a file.
class FileExporter extends InMemorySpanExporter {
  override export(...[spans, done]: Parameters<InMemorySpanExporter['export']>): void {
    const lines = spans.map(({ name, attributes }: ReadableSpan) => `${JSON.stringify({ name, attributes })}\n`);
    appendFileSync(process.env['HIVEMARK_TEST_SPANS'] ?? '', lines.join(''));
    super.export(spans, done);
  }
}

trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: new FileExporter() })] }),
);
