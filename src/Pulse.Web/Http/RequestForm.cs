namespace Pulse.Web.Http;

/// <summary>Reads forms. What the framework throws at a malformed one says nothing of whose fault it is, and would be answered as Pulse's own.</summary>
internal static class RequestForm
{
    /// <summary>Reads the form.</summary>
    /// <exception cref="BadHttpRequestException">It is malformed, breaks the framework's limits, is too large or broke off.</exception>
    public static async Task<IFormCollection> ReadAsync(HttpContext context)
    {
        try
        {
            return await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException and not BadHttpRequestException)
        {
            // No boundary or too many fields; ended before its last boundary.
            throw new BadHttpRequestException(exception.Message, exception);
        }
    }
}
