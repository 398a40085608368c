# Runs the script `work` with names, root certificates and a network of its own: nothing of the machine is changed.
set -eu
mount --bind hosts /etc/hosts
mount --bind nsswitch.conf /etc/nsswitch.conf
mount --bind ca.crt /etc/ssl/certs/ca-certificates.crt
python3 server.py 2>server.log &
server=$!
trap 'kill $server; wait $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    [ -e ready ] && break
    sleep 0.05
done
[ -e ready ] || { cat server.log >&2; exit 70; }
status=0
bash work || status=$?
exit $status
