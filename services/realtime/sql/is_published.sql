-- Whether the publication $1 tells changes as those of a table called $3 in the schema $2, either of
-- which may be '*'. A partition's changes are told as its own, or as those of its root where the
-- publication says so.
select exists (
    select from pg_catalog.pg_publication p
      cross join pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where p.pubname = $1
       and (n.nspname = $2 or $2 = '*')
       and (c.relname = $3 or $3 = '*')
       and c.relpersistence = 'p'
       and (c.relkind = 'r' or c.relkind = 'p' and p.pubviaroot)
       and case when p.puballtables
           then n.nspname not in ('pg_catalog', 'information_schema')
                and not (c.relispartition and p.pubviaroot)
           else exists (
               select from (
                   select c.oid
                   union all
                   select a.relid::oid from pg_catalog.pg_partition_ancestors(c.oid) a
                    where not p.pubviaroot
               ) member (relid)
               where exists (
                         select from pg_catalog.pg_publication_rel r
                          where r.prpubid = p.oid and r.prrelid = member.relid)
                  or exists (
                         select from pg_catalog.pg_publication_namespace s
                           join pg_catalog.pg_class m on m.relnamespace = s.pnnspid
                          where s.pnpubid = p.oid and m.oid = member.relid)
           ) end
)
