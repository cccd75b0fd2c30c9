// An OpenID provider on loopback for the sign-on tests. One line of JSON in, in the environment variable PROVIDER:
// {"port", "jwks", "redirect_uri", "pages", "claims": {account: {...}}, "client_secret"}. Prints "ready" once it listens.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const given = JSON.parse(process.env.PROVIDER);
const issuer = `http://127.0.0.1:${given.port}`;
const CLAIMS = ['email', 'email_verified', 'name', 'roles', 'groups', 'realm_access', 'resource_access'];

const provider = new Provider(issuer, {
  jwks: given.jwks,
  cookies: { keys: ['a-key-of-the-tests'] },
  clients: [
    {
      client_id: 'mutx-web',
      client_secret: given.client_secret,
      redirect_uris: [given.redirect_uri, ...given.pages],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
    {
      client_id: 'mutx-cli',
      client_secret: given.client_secret,
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
    },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', ...CLAIMS.slice(3)] },
  // As many providers do it: what belongs to `email` and `profile` stands in userinfo, and in the ID token if it is asked to.
  conformIdTokenClaims: given.userinfo_only,
  pkce: { required: () => true },
  findAccount: async (ctx, sub) => ({ accountId: sub, claims: async () => ({ sub, ...given.claims[sub] }) }),
  extraTokenClaims: async (ctx, token) => given.claims[token.accountId ?? token.clientId],
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => 'urn:mutx',
      useGrantedResource: async () => true,
      getResourceServerInfo: async (ctx, resource) => ({
        scope: 'openid email profile api',
        audience: resource === 'urn:mutx' ? 'mutx-api' : resource,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: given.jwks.keys[0].alg } },
      }),
    },
  },
});

process.stdin.resume().on('end', () => process.exit()); // with whoever started it
createServer(provider.callback()).listen(given.port, '127.0.0.1', () => console.log('ready'));
