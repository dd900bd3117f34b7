namespace Pulse.Silo.Health;

/// <summary>Asks a health route from within its container, whose image has neither shell nor curl: <c>dotnet Pulse.Web.dll --healthcheck URL</c>.</summary>
public static class HealthProbe
{
    /// <summary>The exit code, 0 if the route answers well; <see langword="null"/> if the process was started for something else.</summary>
    public static int? Run(string[] args)
    {
        if (args is not ["--healthcheck", var url]) return null;

        // Answers by its exit code alone; who wants the reason asks the route.
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
