/** Prometheus metrics in its text format (version 0.0.4). Series appear when they are first used; label values are given in label order. */

export interface Metric {
  readonly name: string;
  /** The lines of this metric, with HELP and TYPE. */
  render(): string;
}

/** All metrics of a process. */
export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#add(new Counter(name, help, labels));
  }

  gauge(name: string, help: string, labels: readonly string[] = []): Gauge {
    return this.#add(new Gauge(name, help, labels));
  }

  histogram(name: string, help: string, buckets: readonly number[], labels: readonly string[] = []): Histogram {
    return this.#add(new Histogram(name, help, buckets, labels));
  }

  /** A metric whose value is asked for when somebody looks. */
  computed(name: string, help: string, value: () => number, type: 'gauge' | 'counter' = 'gauge'): void {
    this.#add({ name, render: () => `${head(name, help, type)}${name} ${value()}\n` });
  }

  /** The same with labels: `read` gives the label values and the value of each series. */
  collected(metric: {
    name: string;
    help: string;
    type: 'gauge' | 'counter';
    labels: readonly string[];
    read(): Iterable<readonly [labels: readonly string[], value: number]>;
  }): void {
    const { name, help, type, labels } = metric;
    const lines = (): string[] =>
      Array.from(metric.read(), ([values, value]) => `${name}${braces(labelText(labels, values))} ${value}\n`);
    this.#add({
      name,
      render() {
        const all = lines();
        return all.length > 0 ? head(name, help, type) + all.join('') : '';
      },
    });
  }

  render(): string {
    return [...this.#metrics.values()].map((metric) => metric.render()).join('');
  }

  #add<M extends Metric>(metric: M): M {
    const existing = this.#metrics.get(metric.name);
    if (existing) return existing as M;
    this.#metrics.set(metric.name, metric);
    return metric;
  }
}

/** Different label values a metric keeps apart; later ones are summed up under `other`. */
const maxSeries = 2000;

abstract class LabelledMetric<S> implements Metric {
  readonly name: string;
  readonly #help: string;
  readonly #type: string;
  readonly #labels: readonly string[];
  readonly #series = new Map<string, S>();
  /** The same by their bare label values, which are quicker to put together than the text that is shown. */
  readonly #byValues = new Map<string, S>();

  constructor(options: { name: string; help: string; type: string; labels: readonly string[] }) {
    this.name = options.name;
    this.#help = options.help;
    this.#type = options.type;
    this.#labels = options.labels;
  }

  render(): string {
    if (this.#series.size === 0) return '';
    let text = head(this.name, this.#help, this.#type);
    for (const [labels, series] of this.#series) text += this.lines(labels, series);
    return text;
  }

  protected series(values: readonly string[]): S {
    const bare = values.length === 1 ? values[0]! : values.join('\0');
    const known = this.#byValues.get(bare);
    if (known !== undefined) return known;
    const key = this.#key(values);
    const isOther = this.#series.size >= maxSeries && !this.#series.has(key);
    const shown = isOther ? this.#key(this.#labels.map(() => 'other')) : key;
    const series = this.#series.get(shown) ?? this.empty();
    this.#series.set(shown, series);
    if (!isOther) this.#byValues.set(bare, series);
    return series;
  }

  protected abstract empty(): S;
  /** `labels` is `a="b",c="d"` or empty. */
  protected abstract lines(labels: string, series: S): string;

  #key(values: readonly string[]): string {
    return labelText(this.#labels, values);
  }
}

interface Value {
  value: number;
}

abstract class ValueMetric extends LabelledMetric<Value> {
  /** One series, for those who change it too often to look it up each time. */
  at(labels: readonly string[]): { value: number } {
    return this.series(labels);
  }

  protected override empty(): Value {
    return { value: 0 };
  }

  protected override lines(labels: string, series: Value): string {
    return `${this.name}${braces(labels)} ${series.value}\n`;
  }
}

export class Counter extends ValueMetric {
  constructor(name: string, help: string, labels: readonly string[]) {
    super({ name, help, labels, type: 'counter' });
  }

  inc(labels: readonly string[] = [], by = 1): void {
    this.series(labels).value += by;
  }
}

export class Gauge extends ValueMetric {
  constructor(name: string, help: string, labels: readonly string[]) {
    super({ name, help, labels, type: 'gauge' });
  }

  set(value: number, labels: readonly string[] = []): void {
    this.series(labels).value = value;
  }

  add(by: number, labels: readonly string[] = []): void {
    this.series(labels).value += by;
  }
}

interface Distribution {
  readonly counts: Float64Array;
  sum: number;
  count: number;
}

/** Bounds for a histogram: `count` of them, each twice the one before. */
export const doublingBuckets = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => first * 2 ** i);

export class Histogram extends LabelledMetric<Distribution> {
  readonly #buckets: readonly number[];

  /** `buckets` are upper bounds in ascending order; +Inf is added. */
  constructor(name: string, help: string, buckets: readonly number[], labels: readonly string[]) {
    super({ name, help, labels, type: 'histogram' });
    this.#buckets = buckets;
  }

  observe(value: number, labels: readonly string[] = []): void {
    this.#observe(this.series(labels), value);
  }

  /** One series, for those who observe too often to look it up each time. */
  at(labels: readonly string[]): (value: number) => void {
    const series = this.series(labels);
    return (value) => this.#observe(series, value);
  }

  #observe(series: Distribution, value: number): void {
    const bucket = this.#buckets.findIndex((bound) => value <= bound);
    if (bucket >= 0) series.counts[bucket]!++;
    series.sum += value;
    series.count++;
  }

  protected override empty(): Distribution {
    return { counts: new Float64Array(this.#buckets.length), sum: 0, count: 0 };
  }

  protected override lines(labels: string, series: Distribution): string {
    const join = labels ? `${labels},` : '';
    let text = '';
    let below = 0;
    for (const [i, bound] of this.#buckets.entries()) {
      below += series.counts[i]!;
      text += `${this.name}_bucket{${join}le="${bound}"} ${below}\n`;
    }
    text += `${this.name}_bucket{${join}le="+Inf"} ${series.count}\n`;
    return `${text}${this.name}_sum${braces(labels)} ${series.sum}\n${this.name}_count${braces(labels)} ${series.count}\n`;
  }
}

function head(name: string, help: string, type: string): string {
  return `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}\n# TYPE ${name} ${type}\n`;
}

function labelText(labels: readonly string[], values: readonly string[]): string {
  return labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? '')}"`).join(',');
}

function braces(labels: string): string {
  return labels ? `{${labels}}` : '';
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
}
