using Microsoft.OpenApi;
using Pulse.Web.Http;
using Pulse.Web.Sessions;

namespace Pulse.Web.OpenApi;

/// <summary>The ways to authenticate, by their names in the document.</summary>
internal static class SecuritySchemes
{
    public const string Bearer = "bearer";
    public const string Cookie = "session";
    public const string AdminKey = DescribedSecurity.AdminKey;
    public const string HubTicket = "hubTicket";
    public const string HubToken = "hubToken";

    /// <summary>All schemes.</summary>
    public static Dictionary<string, IOpenApiSecurityScheme> All() => new()
    {
        [Bearer] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "JWT",
            Description = "An access token: of POST /auth/token, or of an issuer in the setting Pulse:Auth:TrustedIssuers.",
        },
        [Cookie] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Cookie, Name = SessionCookie.SecureName,
            Description =
                $"The cookie of a sign-in. Over plain http, which only Development allows, its name is {SessionCookie.PlainName}. "
                + "A request that changes data must come from a page of this site (Sec-Fetch-Site or Origin).",
        },
        [AdminKey] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The value of the setting Pulse:Admin:Key.",
        },
        [HubTicket] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Query, Name = "ticket",
                Description = "A ticket of POST /auth/hub-ticket.",
        },
        [HubToken] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Query, Name = "access_token",
            Description = "An access token, for clients that can neither send headers nor get a ticket.",
        },
    };
}
