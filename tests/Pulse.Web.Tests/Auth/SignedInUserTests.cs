using System.Reflection;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Auth;

/// <summary>How routes get their caller.</summary>
[Collection(SharedPulse.Name)]
public sealed class SignedInUserTests(PulseApplication pulse)
{
    // Route → the reason why it takes no SignedInUser.
    private static readonly Dictionary<string, string> s_others = new()
    {
        ["POST /auth/sync"] = "creates the user",
        ["GET /users"] = "answers a trusted issuer, which needs no user of its own",
        ["GET /users/{id}"] = "gives each caller the same answer, and needs no user of the caller's own",
        ["GET /presence"] = "answers callers that have no user yet; the policy gets an empty viewer then",
        ["GET /dashboard/profile"] = "leads to the dashboard, which reads the user",
        ["/hubs/pulse"] = "a hub binds no parameters to the request; it answers user-not-synced itself",
        ["/hubs/pulse/negotiate"] = "belongs to the hub",
    };

    [Fact]
    public void RoutesThatNeedAuthentication_TakeTheSignedInUser()
    {
        var needing = Routes().Where(route => NeedsAuthentication(route.Endpoint)).ToArray();
        var without = needing.Where(route => !Takes<SignedInUser>(route.Endpoint)).Select(route => route.Name).ToArray();

        Assert.True(needing.Length - without.Length >= 15, $"Only {needing.Length - without.Length} routes take the signed-in user.");
        Assert.Equal(s_others.Keys.Order(), without.Order());
    }

    [Fact]
    public void RoutesThatTakeACaller_NeedAuthentication()
    {
        var open = Routes().Where(route => (Takes<SignedInUser>(route.Endpoint) || Takes<Caller>(route.Endpoint)) && !NeedsAuthentication(route.Endpoint));

        Assert.Empty(open.Select(route => route.Name));
    }

    private IEnumerable<(string Name, RouteEndpoint Endpoint)> Routes() =>
        from route in pulse.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let path = "/" + route.RoutePattern.RawText!.Trim('/')
        let method = path.StartsWith("/hubs/", StringComparison.Ordinal) ? null : route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Single()
        select (method is null ? path : $"{method} {path}", route);

    private static bool NeedsAuthentication(RouteEndpoint route) =>
        route.Metadata.GetMetadata<IAllowAnonymous>() is null
        && (route.Metadata.GetMetadata<IAuthorizeData>() is not null || route.Metadata.GetMetadata<AuthorizationPolicy>() is not null);

    private static bool Takes<T>(RouteEndpoint route) =>
        route.Metadata.GetMetadata<MethodInfo>()?.GetParameters().Any(parameter => parameter.ParameterType == typeof(T)) == true;
}
