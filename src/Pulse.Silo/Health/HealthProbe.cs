namespace Pulse.Silo.Health;

/// <summary>
/// Requests a health route from within its container, whose image lacks a shell and curl: <c>dotnet Pulse.Web.dll --healthcheck URL</c>.
/// </summary>
public static class HealthProbe
{
    /// <summary>
    /// The exit code, 0 if the route answers with success. <see langword="null"/> if the process was started for another purpose.
    /// </summary>
    public static int? Run(string[] args)
    {
        if (args is not ["--healthcheck", var url]) return null;

        // The exit code is the only answer. The route itself gives the reason.
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            using var response = http.Send(request);
            return response.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return 1;
        }
    }
}
