//! The functions of the type `Database`.

use super::database::Schema;
use super::described::{Function, Kind, Returned};
use super::writer::{Writer, property, text};

impl Schema<'_> {
    /// The functions by name.
    pub(super) fn overloads(&self) -> Vec<Vec<&Function>> {
        let mut overloads: Vec<Vec<&Function>> = Vec::new();
        for function in &self.described.functions {
            if function.schema != self.name {
                continue;
            }
            match overloads.last_mut() {
                Some(last) if last.first().is_some_and(|one| one.name == function.name) => {
                    last.push(function);
                }
                Some(_) | None => overloads.push(vec![function]),
            }
        }
        overloads
    }

    pub(super) fn function(&self, writer: &mut Writer, overloads: &[&Function]) {
        let name = overloads.first().map_or("", |function| &function.name);
        if let [function] = overloads {
            writer.properties(&property(name), [function], |writer, function| {
                self.signature(writer, function);
            });
            return;
        }
        writer.line(format!("{}:", property(name)));
        for function in overloads {
            writer.block("| ", "", |writer| self.signature(writer, function));
        }
    }

    fn signature(&self, writer: &mut Writer, function: &Function) {
        if function.parameters.is_empty() {
            writer.line("Args: never");
        } else {
            writer.properties("Args", &function.parameters, |writer, parameter| {
                let optional = if parameter.optional { "?" } else { "" };
                let written = parameter.type_name.written(self.known);
                let name = match parameter.name.as_str() {
                    "" => text(""),
                    name => property(name),
                };
                writer.line(format!("{name}{optional}: {written}"));
            });
        }
        let many = if function.set { "[]" } else { "" };
        match &function.returns {
            Returned::Columns(columns) => {
                writer.block("Returns: ", many, |writer| {
                    for column in columns {
                        let written = column.type_name.written(self.known);
                        writer.line(format!("{}: {written}", property(&column.name)));
                    }
                });
            }
            Returned::Type(returned) => {
                writer.line(format!("Returns: {}{many}", returned.written(self.known)));
                if matches!(returned.kind, Kind::Table | Kind::View) && !returned.list {
                    add_rows(writer, function, &returned.name);
                }
            }
        }
    }
}

/// Adds which rows a function returns, so that they can be filtered and embedded.
fn add_rows(writer: &mut Writer, function: &Function, relation: &str) {
    writer.properties("SetofOptions", [function], |writer, function| {
        let from = function.row_of.as_deref().unwrap_or("*");
        writer.line(format!("from: {}", text(from)));
        writer.line(format!("to: {}", text(relation)));
        writer.line(format!("isOneToOne: {}", !function.set || function.single));
        writer.line(format!("isSetofReturn: {}", function.set));
    });
}
