using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Forms that no page sends: their senders get an explanation, and the log stays free of errors.</summary>
[Collection(SharedSignIn.Name)]
public sealed class MalformedFormTests(SignInFixture pulse)
{
    private static readonly Dictionary<string, (string ContentType, string Body)> s_forms = new()
    {
        ["no boundary"] = ("multipart/form-data", "--x--\r\n"),
        ["broken off"] = ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nada@example.com"),
        ["too many fields"] = ("application/x-www-form-urlencoded", string.Join('&', Enumerable.Range(0, 1_100).Select(field => $"f{field}="))),
        ["too long a name"] = ("application/x-www-form-urlencoded", new string('n', 3_000) + "=1"),
    };

    public static TheoryData<string> Forms => [.. s_forms.Keys];

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Post_OfAMalformedForm_IsABadRequest(string form)
    {
        using var client = new HttpClient { BaseAddress = pulse.Site };
        foreach (var path in new[] { "/auth/signin/email", "/auth/signin/dev", "/auth/callback/email" })
        {
            using var answer = await client.PostAsync(path, Content(form));
            await answer.ReadProblemAsync(HttpStatusCode.BadRequest, "bad-request");
        }
    }

    private static ByteArrayContent Content(string form) => new(Encoding.ASCII.GetBytes(s_forms[form].Body))
    {
        Headers = { ContentType = MediaTypeHeaderValue.Parse(s_forms[form].ContentType) },
    };
}
