SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  tagsSorter: "alpha",
  // What somebody pastes as a credential stays in the page and is gone with it.
  persistAuthorization: false,
  // No badge: it would send the description's address to a validator elsewhere.
  validatorUrl: null,
});
