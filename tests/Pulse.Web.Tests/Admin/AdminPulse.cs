using System.Net.Http.Headers;

namespace Pulse.Web.Tests.Admin;

/// <summary>An application with an admin key.</summary>
public sealed class AdminPulse() : PulseApplication([new("Pulse:Admin:Key", Key)])
{
    public const string Key = "an-admin-key-that-is-for-tests-alone-0123456789";

    /// <summary>A client with the key.</summary>
    public HttpClient Operator()
    {
        var client = new HttpClient { BaseAddress = Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        return client;
    }
}
