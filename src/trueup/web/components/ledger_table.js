// A dense table: sorted, filtered and paged by the server, patched cell by cell when figures move.
// A cell is [text, tone, title, href]; everything is rendered as text, never as HTML.
const { h } = Vue;

export default {
  props: {
    caption: String,
    columns: Array, // {name, label, figure, sorts, phone, wide, calm}
    rows: Array, // {key, cells: {name: cell}, href, tone}
    total: Number,
    more: Boolean, // there are more rows than `total`
    offset: Number,
    limit: Number,
    sort: String,
    descending: Boolean,
    filter: String,
    filterable: Boolean,
    filterLabel: String,
    paged: Boolean,
    exporting: String,
    empty: String,
    loading: Boolean,
    actions: Array, // {name, label}
  },
  emits: ["sort", "filter", "turn", "act"],
  data() {
    return { patches: {}, moved: {}, typed: this.filter || "", timer: null };
  },
  watch: {
    rows() {
      this.patches = {};
    },
  },
  computed: {
    calm() {
      return new Set(this.columns.filter((each) => each.calm).map((each) => each.name));
    },
  },
  methods: {
    // {key: {column: cell}}: figures that moved since the rows were sent.
    patch(changes) {
      const patches = { ...this.patches };
      for (const [key, cells] of Object.entries(changes)) {
        patches[key] = { ...patches[key], ...cells };
        for (const name of Object.keys(cells)) if (!this.calm.has(name)) this.flash(key, name);
      }
      this.patches = patches;
    },
    flash(key, name) {
      const place = `${key}/${name}`;
      this.moved[place] = true;
      setTimeout(() => delete this.moved[place], 600);
    },
    type(text) {
      this.typed = text;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.$emit("filter", this.typed.trim()), 250);
    },
    cell(row, column, first) {
      const found = this.patches[row.key]?.[column.name] ?? row.cells[column.name] ?? ["", "", "", ""];
      const [text, tone, title, own] = found;
      const href = own || (first ? row.href : "");
      const classes = [column.figure ? "figure" : "", tone ? `tone-${tone}` : "", column.phone ? "" : "not-phone"];
      if (this.moved[`${row.key}/${column.name}`]) classes.push("moved");
      if (column.wide) classes.push("wide");
      const content = href ? h("a", { href: href }, text) : text;
      const data = { class: classes, title: title || undefined };
      return first ? h("th", { ...data, scope: "row" }, [content]) : h("td", data, [content]);
    },
    head(column) {
      const sorted = this.sort === column.name;
      const classes = [column.figure ? "figure" : "", column.phone ? "" : "not-phone"];
      const mark = sorted ? (this.descending ? " ↓" : " ↑") : "";
      const content = column.sorts
        ? h("button", { type: "button", onClick: () => this.$emit("sort", column.name) }, column.label + mark)
        : column.label;
      const order = sorted ? (this.descending ? "descending" : "ascending") : undefined;
      return h("th", { scope: "col", class: classes, "aria-sort": order }, [content]);
    },
    line(row) {
      const cells = this.columns.map((column, place) => this.cell(row, column, place === 0));
      if (this.actions?.length) {
        const buttons = (row.actions ?? this.actions.map((each) => each.name)).map((name) => {
          const action = this.actions.find((each) => each.name === name);
          const label = `${action.label} ${row.cells[this.columns[0].name]?.[0] ?? ""}`;
          const press = () => this.$emit("act", { name: name, key: row.key });
          return h("button", { type: "button", class: "small", "aria-label": label, onClick: press }, action.label);
        });
        cells.push(h("td", { class: "actions" }, buttons));
      }
      return h("tr", { key: row.key, class: row.tone ? `row-${row.tone}` : "", "data-key": row.key }, cells);
    },
    tools() {
      const parts = [];
      if (this.filterable) {
        parts.push(
          h("input", {
            type: "search",
            class: "filter",
            placeholder: this.filterLabel,
            "aria-label": this.filterLabel,
            value: this.typed,
            maxlength: 100,
            onInput: (event) => this.type(event.target.value),
          }),
        );
      }
      parts.push(h("span", { class: "count" }, this.counted()));
      if (this.exporting) parts.push(h("a", { class: "export", href: this.exporting, download: "" }, "CSV"));
      if (this.paged && this.total > this.limit) {
        const turn = (label, to, able, mark) =>
          h("button", { type: "button", class: "small", disabled: !able, "aria-label": label, onClick: () => this.$emit("turn", to) }, mark);
        const last = Math.floor((this.total - 1) / this.limit) * this.limit;
        parts.push(
          h("span", { class: "turner" }, [
            turn("First page", 0, this.offset > 0, "⇤"),
            turn("Previous page", this.offset - this.limit, this.offset > 0, "←"),
            turn("Next page", this.offset + this.limit, this.offset < last, "→"),
            turn("Last page", last, this.offset < last && !this.more, "⇥"),
          ]),
        );
      }
      return parts;
    },
    counted() {
      if (this.loading) return "…";
      const counted = this.total.toLocaleString("en-US");
      const total = !this.more ? counted : this.sort === "at" ? `more than ${counted}` : `the newest ${counted}`;
      if (!this.paged || this.total <= this.limit) return this.total === 1 ? "1 row" : `${total} rows`;
      const from = (this.offset + 1).toLocaleString("en-US");
      const to = Math.min(this.offset + this.limit, this.total).toLocaleString("en-US");
      return `${from}–${to} of ${total}`;
    },
  },
  render() {
    const heads = this.columns.map((column) => this.head(column));
    if (this.actions?.length) heads.push(h("th", { scope: "col", class: "actions" }, [h("span", { class: "unseen" }, "Actions")]));
    const body = this.rows.map((row) => this.line(row));
    const table = h("table", { "aria-busy": this.loading ? "true" : undefined }, [
      h("caption", { class: "unseen" }, this.caption),
      h("thead", [h("tr", heads)]),
      h("tbody", body),
    ]);
    const plain = !this.filterable && !this.exporting && !(this.paged && this.total > this.limit);
    const parts = plain ? [] : [h("div", { class: "tools" }, this.tools())];
    parts.push(h("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": this.caption }, [table]));
    if (!this.rows.length) parts.push(h("p", { class: "nothing" }, this.loading ? "Reading the books …" : this.empty));
    return h("div", { class: "ledger-table" }, parts);
  },
};
