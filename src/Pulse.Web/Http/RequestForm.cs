namespace Pulse.Web.Http;

/// <summary>
/// Reads forms. The framework's exception for a malformed form looks like a fault of Pulse, so it would be answered with 500.
/// </summary>
internal static class RequestForm
{
    /// <summary>Reads the form.</summary>
    /// <exception cref="BadHttpRequestException">The form is malformed, exceeds the framework's limits, is too large or
    /// incomplete.</exception>
    public static async Task<IFormCollection> ReadAsync(HttpContext context)
    {
        try
        {
            return await context.Request.ReadFormAsync(context.RequestAborted);
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException and not BadHttpRequestException)
        {
            // The boundary is missing, there are too many fields, or the body ends before its last boundary.
            throw new BadHttpRequestException(exception.Message, exception);
        }
    }
}
