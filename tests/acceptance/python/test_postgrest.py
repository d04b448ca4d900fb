"""The unmodified PyPI client of PostgREST against the instance of SELFDB_ENV_FILE."""

import json
import os
import unittest
import urllib.request

from postgrest import APIError, CountMethod, ReturnMethod, SyncPostgrestClient


def read_env(path):
    with open(path, encoding="utf-8") as lines:
        pairs = (line.strip().partition("=") for line in lines if "=" in line and not line.startswith("#"))
        return {name: value for name, _, value in pairs}


ENV = read_env(os.environ["SELFDB_ENV_FILE"])
URL = f"http://localhost:{ENV['API_PORT']}"
PARENTS, ROWS = f"py_parents_{os.getpid()}", f"py_rows_{os.getpid()}"


def administer(method, path, body=None):
    headers = {"apikey": ENV["SERVICE_ROLE_KEY"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}/api/v1{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read() or b"null")


def client(key):
    headers = {"apikey": key, "Authorization": f"Bearer {key}"}
    return SyncPostgrestClient(f"{URL}/rest/v1", headers=headers)


class PostgrestPy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        key = {"name": "id", "type": "int", "primary_key": True}
        name = {"name": "name", "type": "text", "unique": True}
        administer("POST", "/tables", {"name": PARENTS, "columns": [key, name]})
        parent = {"name": "parent_id", "type": "int", "references_table": PARENTS, "references_column": "id"}
        others = [{"name": "tags", "type": "text[]"}, {"name": "meta", "type": "jsonb"},
                  {"name": "n", "type": "int", "default": 7}]
        administer("POST", "/tables", {"name": ROWS, "columns": [key, name, parent, *others]})
        cls.db = client(ENV["SERVICE_ROLE_KEY"])

    @classmethod
    def tearDownClass(cls):
        for table in (ROWS, PARENTS):
            administer("DELETE", f"/tables/{table}")

    def setUp(self):
        self.db.from_(ROWS).delete().gte("id", 0).execute()
        self.db.from_(PARENTS).delete().gte("id", 0).execute()
        self.db.from_(PARENTS).insert([{"id": 1, "name": "one"}, {"id": 2, "name": "two"}]).execute()
        self.db.from_(ROWS).insert([
            {"id": n, "name": f"row {n}", "parent_id": 1 + n % 2, "tags": ["a", f"t{n}"], "meta": {"k": n}}
            for n in range(1, 6)]).execute()

    def ids(self, query):
        return sorted(row["id"] for row in query.execute().data)

    def test_filters(self):
        rows = lambda: self.db.from_(ROWS).select("id")
        self.assertEqual(self.ids(rows().in_("name", ["row 1", 'with "quotes", and commas', "row 2"])), [1, 2])
        self.assertEqual(self.ids(rows().contains("tags", ["t3"])), [3])
        self.assertEqual(self.ids(rows().contains("meta", {"k": 4})), [4])
        self.assertEqual(self.ids(rows().or_("id.eq.1,and(id.gt.3,id.lt.5)")), [1, 4])
        self.assertEqual(self.ids(rows().not_.in_("id", [1, 2])), [3, 4, 5])
        self.assertEqual(self.ids(rows().like_any_of("name", "%1,%2")), [1, 2])
        self.assertEqual(self.ids(rows().is_("n", "null")), [])
        self.assertEqual(self.ids(rows().eq("meta->k", 5)), [5])
        self.assertEqual(self.ids(rows().match({"id": 1, "name": "row 1"})), [1])
        self.assertEqual(self.ids(rows().overlaps("tags", ["t1", "t5"])), [1, 5])

    def test_embedding(self):
        parents = self.db.from_(PARENTS).select(f"name, {ROWS}(id)").order("id")
        parents = parents.order("id", desc=True, foreign_table=ROWS).limit(1, foreign_table=ROWS).execute()
        self.assertEqual(parents.data, [{"name": "one", ROWS: [{"id": 4}]}, {"name": "two", ROWS: [{"id": 5}]}])
        inner = self.db.from_(ROWS).select(f"id, parent:{PARENTS}!inner(name)").eq("parent.name", "two")
        self.assertEqual(self.ids(inner), [1, 3, 5])
        either = self.db.from_(PARENTS).select(f"id, {ROWS}!inner(id)").or_("id.eq.1,id.eq.9", reference_table=ROWS)
        self.assertEqual(either.execute().data, [{"id": 2, ROWS: [{"id": 1}]}])

    def test_pages_and_counts(self):
        page = self.db.from_(ROWS).select("id", count=CountMethod.exact).order("id").range(1, 2).execute()
        self.assertEqual((page.data, page.count), ([{"id": 2}, {"id": 3}], 5))
        head = self.db.from_(ROWS).select("id", count=CountMethod.exact, head=True).execute()
        self.assertEqual(head.count, 5)
        with self.assertRaises(APIError) as beyond:
            self.db.from_(ROWS).select("id", count=CountMethod.exact).range(50, 60).execute()
        self.assertEqual(beyond.exception.code, "PGRST103")

    def test_shapes(self):
        one = self.db.from_(ROWS).select("id,name").eq("id", 1)
        self.assertEqual(one.single().execute().data, {"id": 1, "name": "row 1"})
        self.assertIsNone(self.db.from_(ROWS).select("id").eq("id", 99).maybe_single().execute())
        csv = self.db.from_(ROWS).select("id,name").lte("id", 2).order("id").csv().execute()
        # Postgres quotes what has a blank in it.
        self.assertEqual(csv.data, 'id,name\n1,"row 1"\n2,"row 2"')
        with self.assertRaises(APIError) as many:
            self.db.from_(ROWS).select("id").single().execute()
        self.assertEqual(many.exception.code, "PGRST116")

    def test_writes(self):
        table = self.db.from_(ROWS)
        ignored = table.upsert([{"id": 1, "n": 0}, {"id": 10, "n": 1}], on_conflict="id", ignore_duplicates=True)
        self.assertEqual([row["id"] for row in ignored.execute().data], [10])
        merged = table.upsert({"id": 99, "name": "row 2", "n": 5}, on_conflict="name", count=CountMethod.exact).execute()
        self.assertEqual((merged.data[0]["id"], merged.count), (99, 1))
        missing = table.insert([{"id": 11}, {"id": 12, "n": 3}], default_to_null=False).execute()
        self.assertEqual([row["n"] for row in missing.data], [7, 3])
        quiet = table.insert({"id": 13}, returning=ReturnMethod.minimal).execute()
        self.assertEqual(quiet.data, [])
        changed = table.update({"n": 1}, count=CountMethod.exact).in_("id", [11, 12]).execute()
        self.assertEqual(changed.count, 2)
        gone = table.delete(count=CountMethod.exact).gte("id", 10).execute()
        self.assertEqual(gone.count, len(gone.data))

    def test_mistakes(self):
        for query, code in [
            (self.db.from_("no_such_table").select("*"), "PGRST205"),
            (self.db.from_(ROWS).select("no_such_column"), "42703"),
            (self.db.from_(ROWS).select("id, no_such(id)"), "PGRST200"),
            (self.db.from_(ROWS).insert({"id": 1}), "23505"),
            (self.db.from_(ROWS).insert({"id": 20, "parent_id": 77}), "23503"),
            (self.db.from_(ROWS).insert({"nothing": 1}), "PGRST204"),
            (self.db.from_(ROWS).select("id").eq("id", "x"), "22P02"),
            (self.db.from_(ROWS).select("id").filter("id", "nope", "1"), "PGRST100"),
            (self.db.rpc("no_such_function", {}), "PGRST202"),
        ]:
            with self.assertRaises(APIError) as mistake:
                query.execute()
            self.assertEqual(mistake.exception.code, code, mistake.exception.message)
        self.assertEqual(client(ENV["ANON_KEY"]).from_(ROWS).select("id").execute().data, [])

    def test_sql_of_an_administrator(self):
        answer = administer("POST", "/sql/query", {"query": f"select count(*) from {ROWS}", "read_only": True})
        self.assertEqual((answer["success"], answer["results"][0]["rows"]), (True, [[5]]))
        tables = [table["name"] for table in administer("GET", "/schema")["tables"]]
        self.assertIn(ROWS, tables)


if __name__ == "__main__":
    unittest.main()
