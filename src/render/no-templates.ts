import type { Templates } from "./templates.ts";

/** For what makes no pages, so that no template has to compile; whoever renders is mistaken. */
export const noTemplates: Templates = {
  render() {
    throw new TypeError("This run makes no pages.");
  },
  fingerprint: () => Buffer.alloc(0),
  making: () => ({}),
};
