//! Builds the tree of what is read: `select` gives its shape, and filters, order and limits go to
//! the relation whose path they name.

mod fields;
mod joins;
mod spread;

use std::collections::BTreeMap;

use super::embed;
use super::field::Condition;
use super::keyset::Keyset;
use super::read::{Embed, ReadPlan, Selected, Shape, Source};
use super::{Aggregates, Limits};
use crate::error::{ApiError, Error, KeysetError};
use crate::request::ApiRequest;
use crate::request::order::OrderTerm;
use crate::request::range::RowRange;
use crate::request::select::{EmbedShape, JoinType, SelectItem, SelectRelation};
use crate::schema_cache::representation::Representations;
use crate::schema_cache::{QualifiedName, SchemaCache};
use fields::{on_embeds, ordered, selected};
use joins::joined;

/// Builds one [`ReadPlan`].
pub(crate) struct Builder<'a> {
    request: &'a ApiRequest,
    cache: &'a SchemaCache,
    root: Root,
    limits: Limits,
    values: Values,
    /// How many embeds have an alias so far.
    embeds: usize,
}

/// Whether values of domains are shown as their casts say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    Represented,
    Stored,
}

/// Where the root's rows come from, and which parameters apply to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Relation,
    Called,
    Written,
}

/// What the query asks of one relation of the tree.
#[derive(Default)]
struct Parameters<'a> {
    conditions: Vec<ConditionSource<'a>>,
    order: Vec<&'a [OrderTerm]>,
    range: Option<RowRange>,
}

enum ConditionSource<'a> {
    Filter(&'a crate::request::filter::Filter),
    Tree(&'a crate::request::filter::LogicTree),
}

/// Parameters by the place of their relation: the positions in `select` down to it.
type Placed<'a> = BTreeMap<Vec<usize>, Parameters<'a>>;

impl<'a> Builder<'a> {
    /// For a table or view that is read.
    pub(crate) fn reading(request: &'a ApiRequest, cache: &'a SchemaCache, limits: Limits) -> Self {
        Self::new(request, cache, Root::Relation, limits)
    }

    /// For what a function returns.
    pub(crate) fn calling(request: &'a ApiRequest, cache: &'a SchemaCache, limits: Limits) -> Self {
        Self::new(request, cache, Root::Called, limits)
    }

    /// For what a write returns: its filters chose the rows already.
    pub(crate) fn returning(
        request: &'a ApiRequest,
        cache: &'a SchemaCache,
        limits: Limits,
    ) -> Self {
        let limits = Limits {
            max_rows: None,
            ..limits
        };
        Self::new(request, cache, Root::Written, limits)
    }

    fn new(request: &'a ApiRequest, cache: &'a SchemaCache, root: Root, limits: Limits) -> Self {
        Self {
            request,
            cache,
            root,
            limits,
            values: Values::Represented,
            embeds: 0,
        }
    }

    /// With values shown like this.
    pub(crate) fn with_values(mut self, values: Values) -> Self {
        self.values = values;
        self
    }

    fn representations(&self) -> Option<&'a Representations> {
        match self.values {
            Values::Represented => Some(&self.cache.representations),
            Values::Stored => None,
        }
    }

    /// The plan whose root has the columns and relationships of `table`.
    pub(crate) fn build(mut self, table: &QualifiedName) -> Result<ReadPlan, Error> {
        let placed = self.place()?;
        let source = match self.root {
            Root::Relation => Source::Relation(table.clone()),
            Root::Called | Root::Written => Source::Returned,
        };
        let mut node = Node {
            table,
            source,
            items: &self.request.query.select,
            place: Vec::new(),
            depth: 0,
        };
        let mut plan = self.node(&mut node, &placed)?;
        if self.root != Root::Written {
            plan.range = self.request.range.at_most(self.limits.max_rows);
        }
        let keyset = Keyset::of(self.request, self.cache.table(table), &plan)?;
        if self.root != Root::Relation && keyset.is_some() {
            return Err(KeysetError::NoRead.into());
        }
        if let Some(keyset) = keyset {
            plan.order = keyset.ordered();
            plan.keyset = Some(keyset);
        }
        Ok(plan)
    }

    /// Sends every parameter to its relation.
    fn place(&self) -> Result<Placed<'a>, ApiError> {
        let query = &self.request.query;
        let written = self.root == Root::Written;
        let mut placed = Placed::new();
        for (path, filter) in &query.filters {
            if !(written && path.is_empty()) {
                let conditions = &mut placed.entry(self.locate(path)?).or_default().conditions;
                conditions.push(ConditionSource::Filter(filter));
            }
        }
        for (path, tree) in &query.logic {
            if !(written && path.is_empty()) {
                let conditions = &mut placed.entry(self.locate(path)?).or_default().conditions;
                conditions.push(ConditionSource::Tree(tree));
            }
        }
        if !written {
            for (path, terms) in &query.order {
                placed
                    .entry(self.locate(path)?)
                    .or_default()
                    .order
                    .push(terms);
            }
            for (path, range) in &query.ranges {
                placed.entry(self.locate(path)?).or_default().range = Some(*range);
            }
        }
        Ok(placed)
    }

    /// The positions in `select` that lead to an embedded resource.
    fn locate(&self, path: &[String]) -> Result<Vec<usize>, ApiError> {
        let mut place = Vec::with_capacity(path.len());
        let mut items = self.request.query.select.as_slice();
        for name in path {
            let found = items.iter().enumerate().find_map(|(position, item)| {
                relation_named(item, name).map(|relation| (position, relation))
            });
            let (position, relation) = found.ok_or_else(|| ApiError::NotEmbedded(name.clone()))?;
            place.push(position);
            items = &relation.items;
        }
        Ok(place)
    }

    fn node(&mut self, node: &mut Node<'_>, placed: &Placed<'_>) -> Result<ReadPlan, Error> {
        let table = self.cache.table(node.table);
        let shown = self.representations();
        let mut select = Vec::new();
        let mut embeds = Vec::new();
        for (position, item) in node.items.iter().enumerate() {
            match item {
                SelectItem::All => select.push(Selected::All),
                SelectItem::Field(field) => select.push(selected(field, table, shown)),
                SelectItem::Rows { aggregate, alias } => select.push(Selected::Rows {
                    aggregate: aggregate.clone(),
                    alias: alias.clone(),
                }),
                SelectItem::Relation(relation) => {
                    embeds.push(self.embed(node, position, relation, placed)?);
                }
            }
        }
        let aggregated = select.iter().any(|selected| selected.aggregate().is_some());
        if aggregated && self.limits.aggregates == Aggregates::Refused {
            return Err(ApiError::AggregatesNotAllowed.into());
        }
        let changed = table
            .zip(shown)
            .is_some_and(|(table, shown)| shown.changes(table));
        if aggregated || changed || embeds.iter().any(Embed::is_aggregated) {
            spread::expand_all(&mut select, table, shown);
        }
        let nothing = Parameters::default();
        let parameters = placed.get(&node.place).unwrap_or(&nothing);
        let known = &self.cache.representations;
        let mut conditions = Vec::new();
        for condition in &parameters.conditions {
            let resolved = match condition {
                ConditionSource::Filter(filter) => Condition::of_filter(filter, table, known),
                ConditionSource::Tree(tree) => Condition::of_tree(tree, table, known),
            };
            conditions.push(on_embeds(resolved, &embeds)?);
        }
        let mut order = Vec::new();
        for term in parameters.order.iter().copied().flatten() {
            order.push(ordered(term, table, &node.table.name, &embeds)?);
        }
        let range = parameters.range.unwrap_or(RowRange::ALL);
        let negative = range.limit.is_some_and(|limit| limit < 0);
        if negative {
            return Err(ApiError::Range(crate::error::RangeError::NegativeLimit).into());
        }
        Ok(ReadPlan {
            source: node.source.clone(),
            select,
            conditions,
            joins: Vec::new(),
            order,
            range: range.at_most(self.limits.max_rows),
            embeds,
            keyset: None,
        })
    }

    fn embed(
        &mut self,
        parent: &Node<'_>,
        position: usize,
        wanted: &SelectRelation,
        placed: &Placed<'_>,
    ) -> Result<Embed, Error> {
        let relationship = embed::find(self.cache, parent.table, wanted)?;
        self.embeds += 1;
        let alias = format!("pgrst_embed_{}", self.embeds);
        let depth = parent.depth + 1;
        let (source, joins) = joined(relationship, &parent.source.reference(), depth);
        let mut place = parent.place.clone();
        place.push(position);
        let mut node = Node {
            table: &relationship.foreign_table,
            source,
            items: &wanted.items,
            place,
            depth,
        };
        let mut read = self.node(&mut node, placed)?;
        read.joins = joins;
        let table = self.cache.table(node.table);
        let shown = self.representations();
        let shape = match (wanted.shape, relationship.is_to_one()) {
            (EmbedShape::Nested, _) => Shape::Nested,
            (EmbedShape::Spread, true) => {
                Shape::Spread(spread::to_one(&mut read, table, shown, &alias))
            }
            (EmbedShape::Spread, false) => Shape::Spread(spread::to_many(&mut read, table, shown)?),
        };
        let own = relationship.own_columns();
        let needs = own.map(|pairs| pairs.iter().map(|pair| pair.own.clone()).collect());
        Ok(Embed {
            name: wanted.alias.as_ref().unwrap_or(&wanted.name).clone(),
            alias,
            to_one: relationship.is_to_one(),
            join: wanted.join.unwrap_or(JoinType::Left),
            shape,
            read,
            needs,
        })
    }
}

/// A relation of the tree while it is built.
struct Node<'n> {
    table: &'n QualifiedName,
    source: Source,
    items: &'n [SelectItem],
    place: Vec<usize>,
    depth: usize,
}

fn relation_named<'i>(item: &'i SelectItem, name: &str) -> Option<&'i SelectRelation> {
    match item {
        SelectItem::Relation(relation)
            if relation.name == name || relation.alias.as_deref() == Some(name) =>
        {
            Some(relation)
        }
        SelectItem::Relation(_)
        | SelectItem::Field(_)
        | SelectItem::Rows { .. }
        | SelectItem::All => None,
    }
}
