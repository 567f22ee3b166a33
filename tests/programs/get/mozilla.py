"""mozilla.py PROGRAM HOST PORT CA|- on|off - what a browser or mail reader of Mozilla's fetches.

By Marionette, the protocol that it is driven by: length:[0, number, command, parameters].
What it says besides, on its own stderr, is GTK's and differs from run to run.
"""
import json
import pathlib
import socket
import subprocess
import sys
import time

SECONDS = 60
PREFERENCES = {"marionette.port": 0, "app.update.enabled": False, "services.settings.server": "data:,",
               "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False,
               "datareporting.policy.dataSubmissionEnabled": False, "browser.safebrowsing.update.enabled": False,
               "extensions.update.enabled": False, "mail.provider.suppress_dialog_on_startup": True}
FETCH = """const [url, off, done] = arguments, request = new XMLHttpRequest();
    Cc['@mozilla.org/security/certoverride;1'].getService(Ci.nsICertOverrideService)
        .setDisableAllSecurityChecksAndLetAttackersInterceptMyData(off);
    request.onload = () => done(request.responseText);
    request.onerror = () => done(request.channel.securityInfo?.errorCodeString ??
                                 'status ' + request.channel.QueryInterface(Ci.nsIRequest).status.toString(16));
    request.open('GET', url);
    request.send();"""


def profile(folder, cafile):
    (folder / "prefs.js").write_text("".join(
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items()))
    commands = [["-N", "--empty-password"]]
    if cafile != "-":
        commands.append(["-A", "-n", "ca", "-t", "C,,", "-i", cafile])
    for command in commands:
        subprocess.run(["env", "-u", "LD_PRELOAD", "certutil", "-d", f"sql:{folder}", *command], check=True)


def connect(folder):
    told, until = folder / "MarionetteActivePort", time.monotonic() + SECONDS
    while not (told.exists() and told.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    return socket.create_connection(("127.0.0.1", int(told.read_text())), SECONDS)


def hear(stream):
    length = b""
    while (one := stream.read(1)) != b":":
        length += one
    return json.loads(stream.read(int(length)))


def ask(stream, command, **parameters):
    words = json.dumps([0, 1, command, parameters]).encode()
    stream.write(b"%d:%s" % (len(words), words))
    stream.flush()
    _, _, error, result = hear(stream)
    if error:
        raise OSError(error["message"])
    return result


def main(program, host, port, cafile, verify):
    folder = pathlib.Path("profile").absolute()
    folder.mkdir()
    profile(folder, cafile)
    with subprocess.Popen([program, "--headless", "--no-remote", "--marionette",
                           "--remote-allow-system-access", "--profile", folder],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            stream = connect(folder).makefile("rwb")
            hear(stream)
            ask(stream, "WebDriver:NewSession")
            ask(stream, "Marionette:SetContext", value="chrome")
            print(ask(stream, "WebDriver:ExecuteAsyncScript", script=FETCH,
                      args=[f"https://{host}:{port}/hello", verify == "off"])["value"])
        finally:
            process.kill()


main(*sys.argv[1:])
