// Types of element.js for `tsc`. The properties of an element are those of its `props`, which TypeScript cannot read.

export class Element extends HTMLElement {
  static props: Record<string, unknown>;
  static define(tag: string, type: { props: Record<string, unknown>; prototype: Element } & CustomElementConstructor): void;
  readonly leaving: AbortSignal;
  connectedCallback(): void;
  disconnectedCallback(): void;
  enter(): void;
  leave(): void;
  changed(name: string, before?: any): void;
  redraw(): void;
  draw(): void;
  view(): unknown;
  drawn(): void;
  tell(name: string, detail?: any): void;
  querySelector(selectors: string): any;
  querySelectorAll(selectors: string): NodeListOf<any>;
  closest(selectors: string): any;
  addEventListener(name: string, handle: (event: any) => unknown, options?: boolean | AddEventListenerOptions): void;
  [name: string]: any;
}
