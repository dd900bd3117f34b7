using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace Pulse.Cluster.Tests;

/// <summary>Writes one user's profile repeatedly, and records the answers.</summary>
internal sealed class Writer(HttpClient http, Guid userId, string email, string token)
{
    private int _attempt;

    public Guid UserId => userId;

    /// <summary>Number of the last successful write. Its name is <c>write N</c>.</summary>
    public int Answered { get; private set; }

    /// <summary>The number of successful writes.</summary>
    public int AnsweredCount { get; private set; }

    /// <summary>The answers or errors of the other writes.</summary>
    public List<string> Failures { get; } = [];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await WriteAsync();
            await Task.Delay(Random.Shared.Next(50, 150), CancellationToken.None);
        }
    }

    /// <summary>Makes one write that is not counted.</summary>
    /// <returns>Its status, and the value of Retry-After.</returns>
    public async Task<(int Status, string? RetryAfter)> TryOnceAsync()
    {
        using var answer = await SendAsync("not counted");
        return ((int)answer.StatusCode, answer.Headers.RetryAfter?.ToString());
    }

    public async Task WriteAsync()
    {
        var number = ++_attempt;
        try
        {
            using var answer = await SendAsync($"write {number}");
            if (answer.IsSuccessStatusCode)
            {
                Answered = number;
                AnsweredCount++;
            }
            else
            {
                Failures.Add($"{(int)answer.StatusCode}");
            }
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            Failures.Add(e.GetType().Name);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/sync");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Content = JsonContent.Create(new { email, name });
        return await http.SendAsync(request);
    }
}
