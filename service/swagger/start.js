// Swagger UI 5.35.0 (Apache-2.0; see LICENSE and NOTICE) on this service's own description.
window.ui = SwaggerUIBundle({
  url: "../api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
