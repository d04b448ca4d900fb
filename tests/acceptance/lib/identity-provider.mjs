// An OpenID provider on loopback with one user, who signs in by following a link.
import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const base64url = (value) => Buffer.from(value).toString("base64url");

/** Listens where `issuer` says, until `close()`. */
export async function identityProvider(issuer, { clientId, secret, user }) {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const kid = randomUUID();
  const begun = new Map();
  const at = (path) => `${issuer.origin}${path}`;

  function idToken(nonce, changes = {}) {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer.origin, aud: clientId, iat: now, exp: now + 300, nonce, ...user, ...changes };
    const head = base64url(JSON.stringify({ alg: "RS256", kid, typ: "JWT" }));
    const signed = `${head}.${base64url(JSON.stringify(claims))}`;
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(privateKey, "base64url")}`;
  }

  function token(form) {
    const flow = begun.get(form.get("code"));
    begun.delete(form.get("code"));
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url");
    const holds = flow && flow.get("code_challenge") === challenge && form.get("client_id") === clientId
      && form.get("client_secret") === secret && form.get("redirect_uri") === flow.get("redirect_uri");
    if (!holds) return { error: "invalid_grant" };
    return { access_token: randomUUID(), token_type: "bearer", expires_in: 300, id_token: idToken(flow.get("nonce")) };
  }

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer);
    const json = (value) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    if (pathname === "/.well-known/openid-configuration") {
      json({
        issuer: issuer.origin, authorization_endpoint: at("/authorize"), token_endpoint: at("/token"),
        jwks_uri: at("/keys"), id_token_signing_alg_values_supported: ["RS256"],
        response_types_supported: ["code"], subject_types_supported: ["public"],
      });
    } else if (pathname === "/keys") {
      json({ keys: [{ ...publicKey.export({ format: "jwk" }), kid, use: "sig", alg: "RS256" }] });
    } else if (pathname === "/authorize") {
      const code = randomUUID();
      begun.set(code, searchParams);
      const back = new URL(searchParams.get("redirect_uri"));
      back.searchParams.set("code", code);
      back.searchParams.set("state", searchParams.get("state"));
      const link = back.href.replaceAll("&", "&amp;");
      response.writeHead(200, { "content-type": "text/html" }).end(`<a href="${link}">Sign in as ${user.name}</a>`);
    } else if (pathname === "/token") {
      let body = "";
      for await (const chunk of request) body += chunk;
      json(token(new URLSearchParams(body)));
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(Number(issuer.port), issuer.hostname, resolve));
  return {
    user,
    idToken,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
