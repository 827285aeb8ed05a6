import type { CustomLabels, ResolvedOptions } from '@offloop/core';
import type { EndedRequest } from './ended-request.js';
import type { HttpResponse, RoutedRequest } from './http-exchange.js';
import { statusLabel } from './http-labels.js';

/** Labels of one request by name, as functions of the user's change them: the status is a number, as peers have it. */
export type RequestLabelSet = Record<string, string | number | boolean | null | undefined>;

/** Functions of the user's by which labels are other than offloop's. `undefined` from any of them leaves the label as it is. */
export interface LabelFunctions {
  readonly routeOf?: ((ended: EndedRequest) => unknown) | undefined;
  readonly statusOf?: ((ended: EndedRequest) => unknown) | undefined;
  readonly methodOf?: ((ended: EndedRequest) => unknown) | undefined;
  /** Changes the labels in place, or returns others to be put over them. */
  readonly transform?:
    | ((labels: RequestLabelSet, request: RoutedRequest, response: HttpResponse) => unknown)
    | undefined;
}

/** Makes the label values of ended requests, in the order of `names`. */
export class RequestLabels {
  readonly names: readonly string[];
  readonly #methodName: string | false;
  readonly #routeName: string | false;
  readonly #statusName: string | false;
  readonly #custom: CustomLabels;
  readonly #functions: LabelFunctions;

  constructor(
    { labelNames, customLabels }: Pick<ResolvedOptions, 'labelNames' | 'customLabels'>,
    functions: LabelFunctions,
  ) {
    this.#methodName = labelNames.method;
    this.#routeName = labelNames.route;
    this.#statusName = labelNames.statusCode;
    this.#custom = customLabels;
    this.#functions = functions;
    const own = [labelNames.method, labelNames.route, labelNames.statusCode];
    this.names = [
      ...new Set([...own.filter((name) => name !== false), ...Object.keys(customLabels)]),
    ];
  }

  /** Labels by name. A function that throws leaves them as they were before it. */
  of(ended: EndedRequest): RequestLabelSet {
    const { routeOf, statusOf, methodOf, transform } = this.#functions;
    const labels: RequestLabelSet = {};
    const { method, route, status, request, response } = ended;
    if (this.#methodName !== false) labels[this.#methodName] = askedOr(method, methodOf, ended);
    if (this.#routeName !== false) labels[this.#routeName] = askedOr(route, routeOf, ended);
    if (this.#statusName !== false)
      labels[this.#statusName] =
        statusOf === undefined && status !== 0
          ? status
          : askedOr(statusLabel(status), statusOf, ended);
    Object.assign(labels, this.#custom);
    if (transform === undefined || request === undefined || response === undefined) return labels;
    const before = { ...labels };
    try {
      const returned = transform(labels, request, response);
      return typeof returned === 'object' && returned !== null && returned !== labels
        ? Object.assign(labels, returned)
        : labels;
    } catch {
      return before;
    }
  }

  /** The values of these names; `undefined` where there is none. Names that are not among them are left out. */
  valuesOf(labels: RequestLabelSet): readonly (string | undefined)[] {
    return this.names.map((name) => {
      const value = labels[name];
      return value === undefined || value === null ? undefined : String(value);
    });
  }
}

function askedOr(
  own: string,
  ask: ((ended: EndedRequest) => unknown) | undefined,
  ended: EndedRequest,
): string {
  if (ask === undefined) return own;
  try {
    return String(ask(ended) ?? own);
  } catch {
    return own;
  }
}
