export default { fetch: () => Response.json({ message: "Hello" }) };
