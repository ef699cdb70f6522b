// How old something is, ticking by the server's clock; turns visibly stale by itself.
const { h } = Vue;

export default {
  props: { at: Number, staleAfter: Number, prefix: String },
  data() {
    return { now: window.trueup.now() };
  },
  mounted() {
    this.timer = setInterval(() => (this.now = window.trueup.now()), 1000);
  },
  beforeUnmount() {
    clearInterval(this.timer);
  },
  render() {
    if (!this.at) return h("span", { class: "age" }, "–");
    const seconds = Math.max(0, (this.now - this.at) / 1e6);
    const stale = this.staleAfter > 0 && seconds > this.staleAfter / 1e6;
    const moment = new Date(this.at / 1000);
    return h(
      "time",
      {
        class: ["age", stale ? "stale" : ""],
        datetime: moment.toISOString(),
        title: `${moment.toISOString().replace("T", " ").replace("Z", "")} UTC`,
      },
      `${this.prefix ?? ""}${window.trueup.age(seconds)} ago${stale ? " · stale" : ""}`,
    );
  },
};
