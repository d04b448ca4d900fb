-- Which file of a version says what its imports mean, where that is not the one nearest to the entry.

alter table functions.versions add column import_map text;
