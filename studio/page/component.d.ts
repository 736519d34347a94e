// What is in scope of a component's modules: Gradio hands it to their joined script, studio.page.standalone to the viewer's.

/** Holds the template. */
declare const element: HTMLElement;

/** What Python set; watch("value", ...) tells when it changes. */
declare const props: { value: any };

declare function watch(name: "value", act: () => void): void;

/** Sends an event to Python. */
declare function trigger(name: string, data?: unknown): void;

/** Sends a file's bytes to the server and answers where they lie there. */
declare function upload(file: File): Promise<{ path: string }>;

/** Python's functions that the component was given. */
declare const server: Record<string, (argument: unknown) => Promise<any>>;

/** plotly.js, which the chart brings. */
interface Window {
  gradio_config: { root: string; api_prefix: string };
  Plotly: any;
}

// The elements inside an element of a component are elements of a page.
interface HTMLElement {
  readonly children: HTMLCollectionOf<HTMLElement>;
}
