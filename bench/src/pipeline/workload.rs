//! What is measured: statements of the shape `rest` emits.

/// One kind of request.
#[derive(Clone, Copy)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    /// The role it runs as.
    pub(super) role: &'static str,
    /// The statement; `$1` is a key from 1 to [`super::ground::ROWS`].
    pub(super) sql: &'static str,
    /// Whether it writes.
    pub(super) writes: bool,
}

pub(super) const ALL: [Workload; 4] = [
    Workload {
        name: "one row by key, public table, anon",
        role: "anon",
        sql: "select coalesce(json_agg(_t), '[]')::text \
              from (select * from public.items where id = $1::int) _t",
        writes: false,
    },
    Workload {
        name: "one row by key, row-level security, signed in",
        role: "authenticated",
        sql: "select coalesce(json_agg(_t), '[]')::text \
              from (select * from public.own_items where id = $1::int) _t",
        writes: false,
    },
    Workload {
        name: "100 rows, public table, anon",
        role: "anon",
        sql: "select coalesce(json_agg(_t), '[]')::text \
              from (select * from public.items where id >= $1::int order by id limit 100) _t",
        writes: false,
    },
    Workload {
        name: "insert one row, row-level security, signed in",
        role: "authenticated",
        sql: "insert into public.written (item, name) values ($1::int, 'a name')",
        writes: true,
    },
];
