// A real OpenID Connect provider (npm oidc-provider) for the tests: identifies whom the browser of the test names in the
// header « x-subject », at the level of « x-acr », or gives up for « x-deny ». Prints its issuer once it listens.
import { createServer } from "node:http";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [redirects, keys] = process.argv.slice(2).map((each) => JSON.parse(each)); // the second: public, of the client
const jwk = (type, options, alg) => ({
  ...createPrivateKey(generateKeyPairSync(type, options).privateKey.export({ type: "pkcs8", format: "pem" })).export({ format: "jwk" }),
  alg, use: "sig", kid: alg,
});
const client = (client_id, alg, more = {}) => ({
  client_id, client_secret: "secret-" + client_id, redirect_uris: redirects, id_token_signed_response_alg: alg,
  token_endpoint_auth_method: "client_secret_post", post_logout_redirect_uris: ["http://127.0.0.1:8000/"], ...more,
});

const encrypted = (alg) => ({
  id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: "A256GCM",
  userinfo_signed_response_alg: "ES256", userinfo_encrypted_response_alg: alg, userinfo_encrypted_response_enc: "A256GCM",
  jwks: keys,
});
const ENCRYPTIONS = { alg: ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES"], enc: ["A256GCM"] };

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      client("es256-jwt", "ES256", { userinfo_signed_response_alg: "ES256" }), // as FranceConnect v2 answers
      client("rs256-json", "RS256"),
      ...ENCRYPTIONS.alg.map((alg) => client("es256-" + alg, "ES256", encrypted(alg))), // as FranceConnect+ does
    ],
    jwks: { keys: [jwk("rsa", { modulusLength: 2048 }, "RS256"), jwk("ec", { namedCurve: "P-256" }, "ES256")] },
    acrValues: ["eidas1", "eidas2", "eidas3"],
    pkce: { required: () => false },
    cookies: { keys: ["of the tests alone"] },
    features: { devInteractions: { enabled: false }, jwtUserinfo: { enabled: true }, encryption: { enabled: true } },
    enabledJWA: {
      idTokenEncryptionAlgValues: ENCRYPTIONS.alg, idTokenEncryptionEncValues: ENCRYPTIONS.enc,
      userinfoEncryptionAlgValues: ENCRYPTIONS.alg, userinfoEncryptionEncValues: ENCRYPTIONS.enc,
      userinfoSigningAlgValues: ["ES256", "RS256"], idTokenSigningAlgValues: ["ES256", "RS256"],
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  });
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    const { params } = await provider.interactionDetails(request, response);
    if (request.headers["x-deny"])
      return provider.interactionFinished(request, response, { error: "access_denied", error_description: "renounced" });
    const accountId = request.headers["x-subject"];
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope("openid");
    const login = { accountId, acr: request.headers["x-acr"] ?? "eidas1", remember: false };
    await provider.interactionFinished(request, response, { login, consent: { grantId: await grant.save() } });
  });
  console.log(issuer);
});
